#ifndef FIXTURE_CONTAINER_H
#define FIXTURE_CONTAINER_H

/* A container that another program runs. */
struct container {
	const char *words[4]; /* how a program is run in it: what comes before its own words */
	char number[16];      /* the pid of its init */
	const char *runtime;  /* null: nobody knows it by a name */
	const char *name;
};

/* Each starts a container, which is gone when the test is over. Null, or why there can be none
 * here. podman's and crun's need places of their own: to be called before the daemon is started. */
const char *container_runc(struct container *container);
const char *container_crun(struct container *container);
const char *container_podman(struct container *container);
const char *container_lxc(struct container *container);
const char *container_nspawn(struct container *container);
const char *container_bwrap(struct container *container);

/* The whole way: register at the jail that -j calls so, see the title with the container's ps,
 * press with its pkill, see the effect, twice. */
void container_presses(const struct container *container, const char *jail, const char *title);

#endif
