# A small jail: the host's files, and nothing else of the host.
# shellcheck shell=sh
# shellcheck disable=SC2154 # $work is the demo's

# Makes it; $container is then what jaildaemon's -j takes: its jid.
container_make()
{
	container_name=jaildemo$$
	jail -c name="$container_name" path=/ host.hostname=demo persist >"$work/container.log" 2>&1 ||
	    fail 'the jail did not start'
	container=$(jls -j "$container_name" jid)
}

# Runs a program in it, as its root would.
container_run()
{
	jexec "$container" "$@"
}

container_end()
{
	[ -z "$container" ] || jail -r "$container_name" >/dev/null
	container=
}

# date(1) has no parts of a second before FreeBSD 14.1, but the files have.
stamp_now()
{
	touch "$work/now"
	stamp_read "$work/now"
}

# What the command does to leave the time of its start in the file $1.
stamp_command()
{
	echo "touch $1"
}

# The time that it left there, in nanoseconds.
stamp_read()
{
	stat -f %Fm "$1" | awk '{ sub(/\./, ""); print }'
}
