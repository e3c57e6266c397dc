# SPDX-License-Identifier: GPL-2.0-or-later
#
# Completion of unfrag(8) for fish.

function __unfrag_names
    unfrag list 2>/dev/null | awk 'NR > 1 { print $1 }'
end

function __unfrag_holds # holder or id
    unfrag defrag status --all 2>/dev/null |
        awk -v id=$argv[1] '/^HOLDER/ { on = 1; next } on { print id == "id" ? $NF : $1 }'
end

function __unfrag_netns
    ls /run/netns 2>/dev/null
end

function __unfrag_of # VERBS ARGUMENTS of complete
    complete -c unfrag -n "__fish_seen_subcommand_from $argv[1]" $argv[2..]
end

function __unfrag_verb # VERB DESCRIPTION
    complete -c unfrag -n __fish_use_subcommand -a $argv[1] -d $argv[2]
end

complete -c unfrag -f

__unfrag_verb probe 'show what this kernel and this process can do'
__unfrag_verb attach 'attach a BPF netfilter program'
__unfrag_verb replace 'put another program into an attachment'
__unfrag_verb detach 'take attachments away'
__unfrag_verb list 'show attachments'
__unfrag_verb stats 'count packets by what became of them'
__unfrag_verb defrag 'keep defragmentation on without a program'
__unfrag_verb pcap 'write a capture with whole packets'
complete -c unfrag -n __fish_use_subcommand -s V -l version -d 'show versions'
complete -c unfrag -s h -l help -d 'show the options'
complete -c unfrag -n 'not __fish_use_subcommand' -s v -l verbose -d 'say more on what happens'

# Of several verbs.
__unfrag_of 'probe attach replace detach list stats defrag pcap' -l json -d 'print JSON'
__unfrag_of 'probe attach defrag' -l netns -x -a '(__unfrag_netns)' -d 'network namespace'
__unfrag_of 'attach defrag' -s f -l family -x -a 'ipv4 ipv6 both' -d family
__unfrag_of 'attach replace' -s P -l program -x -d 'program in the object'
__unfrag_of 'attach replace' -l verifier-log -d 'on refusal show all that the verifier said'
__unfrag_of 'attach replace' -k -a '(__fish_complete_suffix .o)'
__unfrag_of 'replace detach stats' -a '(__unfrag_names)' -d attachment

# attach
__unfrag_of 'attach' -s n -l name -x -d 'name of the attachment'
__unfrag_of 'attach' -s k -l hook -x -d hooks \
    -a '(__fish_append , prerouting input forward output postrouting)'
__unfrag_of 'attach' -s p -l priority -x -d 'lower runs earlier'
__unfrag_of 'attach' -l no-defrag -d "don't switch the kernel's defragmentation on"
__unfrag_of 'attach' -l fragments -x -a 'drop accept' -d 'what is still a fragment'
__unfrag_of 'attach' -l unreadable -x -a 'drop accept' -d "headers that can't be followed"
__unfrag_of 'attach' -l empty -x -a 'drop accept' -d 'no program in the slot'

# replace
__unfrag_of 'replace' -l keep-maps -d 'keep maps of the same name and layout'

# stats
__unfrag_of 'stats' -l openmetrics -d 'print OpenMetrics'

# defrag
__unfrag_of 'defrag' -a 'on off status'
__unfrag_of 'defrag' -l holder -x -a '(__unfrag_holds holder)' -d 'who holds it'
__unfrag_of 'defrag' -l id -x -a '(__unfrag_holds id)' -d 'off: the hold of that id'
__unfrag_of 'defrag' -l all -d 'status: holds in all namespaces'

# pcap
__unfrag_of 'pcap' -F
__unfrag_of 'pcap' -s i -l interface -x -a '(command ls /sys/class/net)' -d 'capture from there'
__unfrag_of 'pcap' -s c -l count -x -d 'end after so many packets'
__unfrag_of 'pcap' -l tunnels -d 'look for fragments inside of tunnels'
__unfrag_of 'pcap' -s w -l write -r -F -d 'capture to write'
__unfrag_of 'pcap' -s f -l filter -x -d 'write what matches only'
__unfrag_of 'pcap' -l time -x -a 'first last' -d 'time and place of whole packets'
__unfrag_of 'pcap' -l keep -d 'write fragments of no whole datagram'
__unfrag_of 'pcap' -l drop-incomplete -d 'leave them out'
__unfrag_of 'pcap' -l overlap -x -d 'what overlaps are read as' \
    -a 'drop first last bsd bsd-right linux windows solaris'
__unfrag_of 'pcap' -l compare -d 'list what systems read differently'
__unfrag_of 'pcap' -l strict -d 'refuse fragments that hide headers'
__unfrag_of 'pcap' -l buffer -x -d 'MiB for packets that wait'
__unfrag_of 'pcap' -l report -d 'list datagrams'

functions -e __unfrag_of __unfrag_verb
