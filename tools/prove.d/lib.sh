# shellcheck shell=sh
# What the steps share. To be sourced by a step.
# shellcheck disable=SC2034 # variables that the steps read

here=$PROVE_SOURCE/tools
# shellcheck source=tools/lib.sh
. "$here/lib.sh"
jobs=$PROVE_JOBS

# skip REASON: the step can't be done here.
skip()
{
	echo "$1"
	exit 77
}

# needs PROGRAM...
needs()
{
	for program in "$@"; do
		command -v "$program" >/dev/null || skip "$program is not installed"
	done
}

needs_jails()
{
	test "$(id -u)" -eq 0 || skip 'jails are for root only'
}

# needs_linux REASON
needs_linux()
{
	test "$(uname)" = Linux || skip "$1"
}

# find_llvm NAME: the path of one of LLVM's tools, which has its name, or that with the version of clang.
find_llvm()
{
	version=$(clang --version | sed -n '1s/.*version \([0-9]*\).*/\1/p')
	command -v "$1" || command -v "$1-$version"
}

# quietly COMMAND...: its output is in step.log, and is shown if it fails, which ends the step.
quietly()
{
	if ! "$@" >step.log 2>&1; then
		tail -n 60 step.log >&2
		exit 1
	fi
}

# matches ARGUMENT...: grep, but to find nothing is no failure.
matches()
{
	grep "$@" || test $? -eq 1
}

# add_up: the sum of the numbers on standard input, one a line.
add_up()
{
	awk '{ sum += $1 } END { print sum + 0 }'
}

# count_checks LOG...: how many tests these programs ran.
count_checks()
{
	cat "$@" | sed -n 's/^[0-9]*%: Checks: \([0-9]*\), .*/\1/p' | add_up
}

# shared_build TARGET...: makes these in PROVE_BUILD.
shared_build()
{
	if [ ! -e "$PROVE_BUILD/config.status" ]; then
		configure_tree "$PROVE_SOURCE" "$PROVE_BUILD" --enable-werror || return 1
	fi
	make_tree "$PROVE_BUILD" "$@"
}
