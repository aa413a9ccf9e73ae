#!/bin/sh
# A client of jaildaemon in sh, with nc(1). Prints the daemon's answer; fails if that is a refusal.
#
# usage: client.sh SOCKET add JAIL TITLE COMMAND
#        client.sh SOCKET list
#        client.sh SOCKET trigger|remove|get|output PROBE
set -eu

usage()
{
	sed -n '/^# usage/,/^set/s/^# *//p' "$0" >&2
	exit 2
}

# A JSON string; control characters, which neither titles nor names may have, become spaces.
quote()
{
	printf '"%s"' "$(printf %s "$1" | tr '[:cntrl:]' '[ *]' | sed 's/[\\"]/\\&/g')"
}

# What is given by number or by name.
number_or_name()
{
	case $1 in
	'' | *[!0-9]*) quote "$1" ;;
	*) printf %s "$1" ;;
	esac
}

case $#/${2-} in
5/add)
	request="{\"op\":\"add\",\"jail\":$(number_or_name "$3"),\"title\":$(quote "$4"),\"command\":$(quote "$5"),"
	request="$request\"respawn\":\"after\"}"
	;;
2/list) request='{"op":"list"}' ;;
3/trigger | 3/remove | 3/get | 3/output) request="{\"op\":\"$2\",\"probe\":$(number_or_name "$3")}" ;;
*) usage ;;
esac

answer=$(printf '%s\n' "$request" | nc -U "$1")
printf '%s\n' "$answer"
case $answer in
'{"ok":true'*) ;;
*) exit 1 ;;
esac
