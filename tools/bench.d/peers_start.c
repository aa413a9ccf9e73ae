/* The servers of the row "peers", each as its own documentation has it, on private paths, in the foreground, and
 * what a client in the jail says to it. Each runs the same command, direct where it can. */
#define _GNU_SOURCE
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peers.h"

#define PEERS_PORT "2222" /* of the jail's own loopback */

/* ---- files and programs ---- */

static char *
peers_path(const struct peers *peers, const char *name)
{
	return bench_path(peers->bench->dir, name);
}

static void
peers_file(const char *path, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void
peers_file(const char *path, const char *format, ...)
{
	FILE *file = fopen(path, "w");
	va_list arguments;

	va_start(arguments, format);
	if (file == NULL || vfprintf(file, format, arguments) < 0 || fclose(file) != 0)
		bench_fail("%s: %s", path, strerror(errno));
	va_end(arguments);
}

static void
peers_directory(const char *path)
{
	if (mkdir(path, 0755) == -1)
		bench_fail("%s: %s", path, strerror(errno));
}

/* argv ends with NULL; the program's output is in dir/peers.log. */
static pid_t
peers_run(const struct peers *peers, const char *const argv[])
{
	char *log = peers_path(peers, "peers.log");
	pid_t pid = bench_start(argv, log);

	free(log);
	return pid;
}

static void
peers_serve(struct peers *peers, struct peer *peer, const char *const argv[])
{
	int i = 0;

	while (i < PEER_SERVERS && peer->servers[i] != 0)
		i++;
	if (i == PEER_SERVERS)
		bench_fail("%s: more than %d servers", peer->title, PEER_SERVERS);
	peer->servers[i] = peers_run(peers, argv);
}

void
peers_stop(struct peer *peer)
{
	int i;

	for (i = PEER_SERVERS - 1; i >= 0; i--)
		if (peer->servers[i] != 0)
			bench_stop(peer->servers[i]);
	for (i = 0; i < PEER_WORDS; i++)
		free(peer->ask[i]);
}

static void
peers_ask_by(struct peer *peer, const char *const words[])
{
	int i;

	for (i = 0; words[i] != NULL; i++)
		if (i == PEER_WORDS - 1 || (peer->ask[i] = strdup(words[i])) == NULL)
			bench_fail("%s: too many words", peer->title);
}

/* By the smallest of all clients. */
static void
peers_ask_barely(struct peers *peers, struct peer *peer, const char *verb, const char *object)
{
	char *program = bench_path(peers->bench->tools, "ask");
	const char *words[] = {program, verb, object, NULL};

	peers_ask_by(peer, words);
	free(program);
}

/* ---- the floor and ourselves ---- */

static void
start_floor(struct peers *peers, struct peer *peer)
{
	char *program = bench_path(peers->bench->tools, "floor"), *socket = peers_path(peers, "floor.sock");
	char *probe = bench_path(peers->bench->tools, "floor_probe"), jid[16];
	const char *argv[] = {program, socket, jid, probe, peers->stamp, peers->fifo, NULL};

	snprintf(jid, sizeof(jid), "%d", peers->jail.jid);
	peers_serve(peers, peer, argv);
	peer->button.line = line_connect(socket, peer->servers[0]);
	snprintf(peer->button.request, sizeof(peer->button.request), "{\"op\":\"get\"}\n");
	peers_ask_barely(peers, peer, "press", "");
	free(probe);
	free(socket);
	free(program);
}

static void
start_ours(struct peers *peers, struct peer *peer)
{
	char command[2048];

	snprintf(command, sizeof(command), "[\"%s\",\"%s\"]", peers->stamp, peers->fifo);
	peer->button.line = line_connect(peers->daemon.socket, peers->daemon.pid);
	snprintf(peer->button.request, sizeof(peer->button.request),
		 "{\"op\":\"get\",\"probe\":%ld,\"keep\":true}\n",
		 daemon_add(peer->button.line, peers->jail.jid, command));
	peers_ask_barely(peers, peer, "press", "");
}

/* ---- who waits for a connection, or a change of a file ---- */

static void
start_ipcserver(struct peers *peers, struct peer *peer)
{
	char *socket = peers_path(peers, "ipcserver.sock");
	const char *argv[] = {peer->program, socket, peers->stamp, peers->fifo, NULL};

	peers_serve(peers, peer, argv);
	peers_ask_barely(peers, peer, "connect", socket);
	free(socket);
}

static void
start_socat(struct peers *peers, struct peer *peer)
{
	char *socket = peers_path(peers, "socat.sock"), from[1024], to[2048];
	const char *argv[] = {peer->program, from, to, NULL};

	snprintf(from, sizeof(from), "UNIX-LISTEN:%s,fork", socket);
	snprintf(to, sizeof(to), "EXEC:%s %s", peers->stamp, peers->fifo);
	peers_serve(peers, peer, argv);
	peers_ask_barely(peers, peer, "connect", socket);
	free(socket);
}

static void
start_incron(struct peers *peers, struct peer *peer)
{
	char *file = peers_path(peers, "incron.file"), *tables = peers_path(peers, "incron.d");
	char *users = peers_path(peers, "incron.users");
	char *table = bench_path(tables, "bench"), *conf = peers_path(peers, "incron.conf");
	const char *argv[] = {peer->program, "-n", "-f", conf, NULL};

	peers_directory(tables);
	peers_directory(users);
	peers_file(file, "\n");
	peers_file(table, "%s IN_CLOSE_WRITE %s %s\n", file, peers->stamp, peers->fifo);
	peers_file(conf, "system_table_dir = %s\nuser_table_dir = %s\nlockfile_dir = %s\n", tables, users,
		   peers->bench->dir);
	peers_serve(peers, peer, argv);
	peers_ask_barely(peers, peer, "write", file);
	free(conf);
	free(table);
	free(users);
	free(tables);
	free(file);
}

/* A shell that reads what inotifywait prints; both are ours, so that both are ended. */
static void
start_inotify(struct peers *peers, struct peer *peer)
{
	char *file = peers_path(peers, "inotify.file"), *lines = peers_path(peers, "inotify.fifo");
	char loop[4096];
	const char *shell[] = {"/bin/sh", "-c", loop, NULL};
	const char *wait[] = {peer->program, "-mq", "-e", "close_write", "-o", lines, file, NULL};

	if (mkfifo(lines, 0600) == -1)
		bench_fail("%s: %s", lines, strerror(errno));
	peers_file(file, "\n");
	snprintf(loop, sizeof(loop), "while read -r line; do %s %s; done <%s", peers->stamp, peers->fifo, lines);
	peers_serve(peers, peer, shell);
	peers_serve(peers, peer, wait);
	peers_ask_barely(peers, peer, "write", file);
	free(lines);
	free(file);
}

/* ---- those with clients of their own ---- */

static void
start_s6_sudo(struct peers *peers, struct peer *peer)
{
	char *socket = peers_path(peers, "sudo.sock");
	const char *argv[] = {"/usr/bin/s6-ipcserver", socket, "/usr/bin/s6-sudod", peers->stamp,
			      peers->fifo, NULL};
	const char *ask[] = {peer->program, socket, NULL};

	peers_serve(peers, peer, argv);
	peers_ask_by(peer, ask);
	free(socket);
}

static void
start_userv(struct peers *peers, struct peer *peer)
{
	const char *argv[] = {"/usr/sbin/uservd", NULL};
	const char *ask[] = {peer->program, "root", "bench", NULL};

	peers_directory("/run/userv");
	peers_file("/etc/userv/system.default", "\n");
	peers_file("/etc/userv/system.override", "if glob service bench\n\treset\n\texecute %s %s\nfi\n",
		   peers->stamp, peers->fifo);
	peers_serve(peers, peer, argv);
	peers_ask_by(peer, ask);
}

/* ---- ssh ---- */

static void
ssh_raise_loopback(void)
{
	struct ifreq loopback = {.ifr_name = "lo"};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd == -1 || ioctl(fd, SIOCGIFFLAGS, &loopback) == -1)
		bench_fail("the jail's loopback: %s", strerror(errno));
	loopback.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &loopback) == -1)
		bench_fail("the jail's loopback: %s", strerror(errno));
	close(fd);
}

/* A server of the host that listens on the jail's own loopback: nothing has to be routed, and no port of the host is
 * taken. */
static void
ssh_serve_in_net(struct peers *peers, struct peer *peer, const char *const argv[])
{
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), inside;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", peers->jail.jid);
	inside = open(path, O_RDONLY | O_CLOEXEC);
	if (home == -1 || inside == -1 || setns(inside, CLONE_NEWNET) == -1)
		bench_fail("the jail's network: %s", strerror(errno));
	ssh_raise_loopback();
	peers_serve(peers, peer, argv);
	if (setns(home, CLONE_NEWNET) == -1)
		bench_fail("no way back from the jail's network: %s", strerror(errno));
	close(inside);
	close(home);
}

static void
ssh_make_key(struct peers *peers, const char *path)
{
	const char *argv[] = {"/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path, NULL};
	int status;

	if (waitpid(peers_run(peers, argv), &status, 0) == -1 || status != 0)
		bench_fail("ssh-keygen failed");
}

/* The one key, which may do nothing but this one command. */
static void
ssh_authorize(struct peers *peers, const char *path, const char *key)
{
	char *public_path = malloc(strlen(key) + 5), line[1024];
	FILE *file;

	if (public_path == NULL)
		bench_fail("no memory");
	sprintf(public_path, "%s.pub", key);
	if ((file = fopen(public_path, "r")) == NULL || fgets(line, sizeof(line), file) == NULL)
		bench_fail("%s: no key", public_path);
	fclose(file);
	peers_file(path, "restrict,command=\"%s %s\" %s", peers->stamp, peers->fifo, line);
	free(public_path);
}

/* The lightest configuration that does the job: no PAM, no name service, nothing printed. */
static void
ssh_configure(struct peers *peers, const char *conf, const char *client_conf)
{
	char *host_key = peers_path(peers, "ssh_host_key"), *key = peers_path(peers, "ssh_key");
	char *authorized = peers_path(peers, "authorized_keys");

	ssh_make_key(peers, host_key);
	ssh_make_key(peers, key);
	ssh_authorize(peers, authorized, key);
	peers_file(conf,
		   "ListenAddress 127.0.0.1:" PEERS_PORT "\nHostKey %s\nAuthorizedKeysFile %s\n"
		   "PermitRootLogin forced-commands-only\nStrictModes no\nUsePAM no\nUseDNS no\n"
		   "PasswordAuthentication no\nPidFile none\nPrintMotd no\nLogLevel ERROR\n",
		   host_key, authorized);
	peers_file(client_conf,
		   "Host host\nHostName 127.0.0.1\nPort " PEERS_PORT "\nUser root\nIdentityFile %s\n"
		   "IdentitiesOnly yes\nBatchMode yes\nStrictHostKeyChecking no\n"
		   "UserKnownHostsFile /dev/null\nGlobalKnownHostsFile /dev/null\nLogLevel ERROR\n",
		   key);
	free(authorized);
	free(key);
	free(host_key);
}

static void
start_ssh(struct peers *peers, struct peer *peer)
{
	char *conf = peers_path(peers, "sshd_config"), *client_conf = peers_path(peers, "ssh_config");
	const char *argv[] = {peer->program, "-D", "-e", "-f", conf, NULL};
	const char *ask[] = {"/usr/bin/ssh", "-nTF", client_conf, "host", NULL};

	peers_directory("/run/sshd");
	ssh_configure(peers, conf, client_conf);
	ssh_serve_in_net(peers, peer, argv);
	peers_ask_by(peer, ask);
	free(client_conf);
	free(conf);
}

/* The same server; its client keeps a connection open. */
static void
start_ssh_multiplexed(struct peers *peers, struct peer *peer)
{
	char *client_conf = peers_path(peers, "ssh_config"), *socket = peers_path(peers, "ssh.sock");
	const char *argv[] = {peer->program, "-nNTMF", client_conf, "-S", socket, "host", NULL};
	const char *ask[] = {peer->program, "-nTF", client_conf, "-S", socket, "-o", "ControlMaster=no", "-o",
			     "ProxyCommand=/bin/false", "host", NULL};

	ssh_serve_in_net(peers, peer, argv);
	peers_ask_by(peer, ask);
	free(socket);
	free(client_conf);
}

/* ---- */

/* The machine's users, but root with a home in our directory and the simplest shell: nobody's profile counts. */
static void
write_passwd(const char *path, const char *home)
{
	FILE *ours = fopen(path, "w"), *real = fopen("/etc/passwd", "r");
	char line[1024];

	if (ours == NULL || real == NULL)
		bench_fail("/etc/passwd: %s", strerror(errno));
	fprintf(ours, "root:*:0:0:root:%s:/bin/sh\n", home);
	while (fgets(line, sizeof(line), real) != NULL)
		if (strncmp(line, "root:", 5) != 0)
			fputs(line, ours);
	fclose(real);
	if (fclose(ours) != 0)
		bench_fail("%s: %s", path, strerror(errno));
}

static void
cover(const char *place, const char *with)
{
	if (mount(with, place, NULL, MS_BIND, NULL) == -1)
		bench_fail("in the place of %s: %s", place, strerror(errno));
}

void
peers_hide(const struct bench *bench)
{
	char *userv = bench_path(bench->dir, "userv"), *passwd = bench_path(bench->dir, "passwd");

	if (unshare(CLONE_NEWNS) == -1 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") == -1)
		bench_fail("a /run of our own: %s", strerror(errno));
	peers_directory(userv);
	cover("/etc/userv", userv);
	write_passwd(passwd, bench->dir);
	cover("/etc/passwd", passwd);
	free(passwd);
	free(userv);
}

struct peer peers_all[] = {
    {.title = "the floor", .start = start_floor, .by_number = 1},
    {.title = "jaildaemon", .start = start_ours, .by_number = 1},
    {.title = "s6-ipcserver", .program = "/usr/bin/s6-ipcserver", .start = start_ipcserver},
    {.title = "inotifywait, a shell's loop", .program = "/usr/bin/inotifywait", .start = start_inotify},
    {.title = "socat", .program = "/usr/bin/socat", .start = start_socat},
    {.title = "incron", .program = "/usr/sbin/incrond", .start = start_incron},
    {.title = "userv", .program = "/usr/bin/userv", .start = start_userv},
    {.title = "s6-sudo", .program = "/usr/bin/s6-sudo", .start = start_s6_sudo},
    {.title = "ssh, a connection each", .program = "/usr/sbin/sshd", .start = start_ssh},
    {.title = "ssh, multiplexed", .program = "/usr/bin/ssh", .start = start_ssh_multiplexed},
    {.title = NULL},
};
