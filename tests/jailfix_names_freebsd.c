/* FreeBSD's jails have names of their own. */
#include "config.h"

#include "jailfix_names.h"

#include <sys/param.h>
#include <sys/jail.h>
#include <sys/uio.h>

#include <check.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

void
jailfix_names_begin(void)
{
}

void
jailfix_call(const struct jailfix *jail, const char *name)
{
	char jid_key[] = "jid", name_key[] = "name";
	int jid = (int)jailfix_number(jail);
	struct iovec params[] = {
	    {.iov_base = jid_key, .iov_len = sizeof(jid_key)},
	    {.iov_base = &jid, .iov_len = sizeof(jid)},
	    {.iov_base = name_key, .iov_len = sizeof(name_key)},
	    {.iov_base = (void *)(uintptr_t)name, .iov_len = strlen(name) + 1},
	};

	ck_assert_msg(jail_set(params, nitems(params), JAIL_UPDATE) == jid, "jail_set: %s",
		      strerror(errno));
}
