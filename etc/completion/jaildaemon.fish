# Completion of jaildaemon(8) for fish: its options, and the probes and jails of the daemon that runs.

# The values of the given members, "probe", "name" or "jail", in the daemon's list. In its JSON no text can look like a
# member, because its quotes are escaped; names that need escapes themselves are left out.
function __jaildaemon_ask
    set -l words (commandline -opc)
    set -l at (contains -i -- -f $words; or contains -i -- --socket $words)
    set -l socket
    test -n "$at"; and set socket -f $words[(math $at + 1)]
    set -l list (jaildaemon -l --json $socket 2>/dev/null)
    for member in $argv
        string match -ra '"'$member'":(?:[0-9]+|"[^"\\\\]*")' -- "$list" |
            string replace -r '^[^:]*:' '' | string trim -c '"'
    end
end

complete -c jaildaemon -f
complete -c jaildaemon -s D -l daemon -d 'Be the daemon'
complete -c jaildaemon -s F -l foreground -d 'Stay attached, log to standard error'
complete -c jaildaemon -s C -l config -rF -d 'The configuration'
complete -c jaildaemon -s S -l state -xa 'none (__fish_complete_directories)' -d 'Where probes are kept'
complete -c jaildaemon -s n -l check -d 'Check the configuration and end'
complete -c jaildaemon -s p -l pidfile -rF -d 'Where the process id is kept'
complete -c jaildaemon -s c -l command -x -d 'Put a probe into a jail'
complete -c jaildaemon -s j -l jail -xa '(__jaildaemon_ask jail)' -d "The jail's number or name"
complete -c jaildaemon -s t -l title -x -d 'What the probe is called inside'
complete -c jaildaemon -s r -l respawn -d 'Arm it again after the command'
complete -c jaildaemon -s R -l respawn-now -d 'Arm it again at once'
complete -c jaildaemon -s u -l uid -xa '(__fish_complete_users)' -d 'User inside who may press it'
complete -c jaildaemon -s g -l gid -xa '(__fish_complete_groups)' -d "The probe's group inside"
complete -c jaildaemon -s N -l name -xa '(__jaildaemon_ask name)' -d 'A name for the probe'
complete -c jaildaemon -s P -l sticky -d "Belong to the jail's name"
complete -c jaildaemon -l replace -d 'Take the place of the probe with this name'
complete -c jaildaemon -l cooldown -x -d 'Shortest time between two runs'
complete -c jaildaemon -l timeout -x -d 'End a run that takes longer'
complete -c jaildaemon -l max-runs -x -d 'With -R, runs at once'
complete -c jaildaemon -l show-status -d 'Show the last result in the title'
complete -c jaildaemon -s l -l list -d 'The probes'
complete -c jaildaemon -s k -l remove -xa '(__jaildaemon_ask probe name)' -d 'Remove a probe'
complete -c jaildaemon -l kill -d 'And end its run in progress'
complete -c jaildaemon -s x -l trigger -xa '(__jaildaemon_ask probe name)' -d 'Do what a HUP from inside does'
complete -c jaildaemon -s o -l output -xa '(__jaildaemon_ask probe name)' -d 'The kept output of its last run'
complete -c jaildaemon -l follow -d 'And go on with what it writes'
complete -c jaildaemon -s w -l watch -d 'Events, or with -l the table again'
complete -c jaildaemon -l check-jail -xa '(__jaildaemon_ask jail)' -d 'The jail may be back'
complete -c jaildaemon -s s -l status -d 'The daemon itself'
complete -c jaildaemon -l metrics -d 'For Prometheus'
complete -c jaildaemon -l reload -d 'Read the configuration again'
complete -c jaildaemon -l stop -d 'End the daemon in order'
complete -c jaildaemon -l upgrade -d 'Go on in the binary that is installed now'
complete -c jaildaemon -l json -d "Print the daemon's answer as JSON"
complete -c jaildaemon -s f -l socket -rF -d 'The control socket'
complete -c jaildaemon -s h -l help -d 'Show the options'
complete -c jaildaemon -s V -l version -d 'Show the version'
