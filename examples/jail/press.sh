#!/bin/sh
# For the inside of a jail: presses a button, waits until its command has ended on the host, and prints how it ended, as
# in "ok 2026-03-01T12:00:03Z". Fails if that is not ok. The probe must have been added with -r and --show-status.
#
# usage: press.sh TITLE [SECONDS]
#	SECONDS	how long to wait for the end, 60 by default
set -eu

if [ $# -lt 1 ] || [ $# -gt 2 ]; then
	echo 'usage: press.sh TITLE [SECONDS]' >&2
	exit 2
fi
title=$1
patience=${2:-60}

# The probe's line, "PID jaildaemon: TITLE [RESULT]"; nothing while it is not armed. The process id tells one life of the
# probe from the next.
find_button()
{
	ps -axww -o pid= -o args= | TITLE="jaildaemon: $title" awk '{
		pid = $1
		sub(/^ *[0-9]+ /, "")
		rest = substr($0, length(ENVIRON["TITLE"]) + 1)
		if (index($0, ENVIRON["TITLE"]) == 1 && (rest == "" || rest ~ /^ \[[^][]*\]$/)) {
			print pid rest
			exit
		}
	}'
}

button=$(find_button)
if [ -z "$button" ]; then
	echo "press.sh: there is no button \"$title\" now" >&2
	exit 1
fi
kill -HUP "${button%% *}"

now=
while [ -z "$now" ] || [ "$now" = "$button" ]; do
	if [ "$patience" -le 0 ]; then
		echo "press.sh: \"$title\" is not back yet" >&2
		exit 1
	fi
	patience=$((patience - 1))
	sleep 1
	now=$(find_button)
done

result=${now#*\[}
result=${result%\]}
printf '%s\n' "$result"
case $result in
ok\ *) ;;
*) exit 1 ;;
esac
