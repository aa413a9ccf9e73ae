# A small container out of what every Linux has: namespaces of its own, a /proc of its own, the host's files.
# shellcheck shell=sh
# shellcheck disable=SC2154 # $work is the demo's

# Whether it is there; if it never will be, tells why.
container_ready()
{
	[ ! -s "$work/container.log" ] || fail "the container did not start: $(cat "$work/container.log")"
	[ -s "$work/container" ]
}

# Makes it; $container is then what jaildaemon's -j takes: the host's pid of its first process.
container_make()
{
	# The first process reads its number as the host knows it before it gets its own /proc.
	# shellcheck disable=SC2016 # the inner shell expands it
	unshare --fork --kill-child --pid --mount --uts --ipc --net sh -c '
		read -r pid rest </proc/self/stat && echo "$pid" >"$1.new" &&
		mount -t proc proc /proc &&
		echo demo >/proc/sys/kernel/hostname &&
		mv "$1.new" "$1" &&
		exec sleep 86400' container "$work/container" >"$work/container.log" 2>&1 &
	container_process=$!
	await 'the container did not start' container_ready
	container=$(cat "$work/container")
}

# Runs a program in it, as its root would.
container_run()
{
	nsenter --target "$container" --root --mount --uts --ipc --net --pid "$@"
}

# Its first process dies with the one that made it, and the rest with the first.
container_end()
{
	[ -n "${container_process-}" ] || return 0
	kill -KILL "$container_process" 2>/dev/null
	wait "$container_process" 2>/dev/null
	container_process=
}

# The time now, in nanoseconds.
stamp_now()
{
	date +%s%N
}

# What the command does to leave the time of its start in the file $1.
stamp_command()
{
	echo "date +%s%N >$1"
}

# The time that it left there, in nanoseconds.
stamp_read()
{
	cat "$1"
}
