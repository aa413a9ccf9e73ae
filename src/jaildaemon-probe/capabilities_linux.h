/* What is left of root's capabilities. */
#ifndef CAPABILITIES_LINUX_H
#define CAPABILITIES_LINUX_H

#include <sys/prctl.h>

#include <linux/capability.h>
#include <stdint.h>

#include "sys_linux.h"

#define CAPABILITY_END 64 /* the kernel refuses those that it doesn't have */

static inline void
drop_bounding_set(void)
{
	for (long cap = 0; cap < CAPABILITY_END; cap++)
		if (sys5(SYS_prctl, PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			break;
}

/* What joining a jail takes, and nothing of what else root may do on the host: setns and its look at
 * the jail's init, chroot, ids, the bounding set, cgroups and OOM score, a security label, and
 * directories that only the jail's owner may enter. */
#define CAPABILITY(cap) (1u << (cap))
static const uint32_t launcher_capabilities[2] = {
    CAPABILITY(CAP_SYS_ADMIN) | CAPABILITY(CAP_SYS_PTRACE) | CAPABILITY(CAP_SYS_CHROOT) |
	CAPABILITY(CAP_SETUID) | CAPABILITY(CAP_SETGID) | CAPABILITY(CAP_SETPCAP) |
	CAPABILITY(CAP_SYS_RESOURCE) | CAPABILITY(CAP_DAC_OVERRIDE) |
	CAPABILITY(CAP_DAC_READ_SEARCH),
    CAPABILITY(CAP_MAC_ADMIN - 32)};

/* Negative errno. */
static inline long
keep_launcher_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];
	long failed;

	if ((failed = sys2(SYS_capget, &header, data)) < 0)
		return failed;
	for (int i = 0; i < 2; i++) {
		/* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign): the kernel has written them */
		data[i].permitted &= launcher_capabilities[i];
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	return sys2(SYS_capset, &header, data);
}

#endif
