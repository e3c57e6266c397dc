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

function __unfrag_guards
    unfrag guard status --all 2>/dev/null | awk 'NR > 1 { print $1 }'
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
__unfrag_verb guard 'let only fragments pass that can become a datagram'
__unfrag_verb pcap 'write a capture with whole packets'
__unfrag_verb policy "rulesets in nftables' language, judged on whole packets"
__unfrag_verb run 'try a ruleset until Ctrl-C'
complete -c unfrag -n __fish_use_subcommand -s V -l version -d 'show versions'
complete -c unfrag -s h -l help -d 'show the options'
complete -c unfrag -n 'not __fish_use_subcommand' -s v -l verbose -d 'say more on what happens'

# Of several verbs.
__unfrag_of 'probe attach replace detach list stats defrag guard pcap' -l json -d 'print JSON'
__unfrag_of 'probe attach defrag guard' -l netns -x -a '(__unfrag_netns)' -d 'network namespace'
__unfrag_of 'attach defrag guard' -s f -l family -x -a 'ipv4 ipv6 both' -d family
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

# guard
__unfrag_of 'guard' -a 'on off status top watch tune'
__unfrag_of 'guard' -l at -x -a 'netfilter tc xdp' -d 'on: where it stands'
__unfrag_of 'guard' -l dev -x -a '(ls /sys/class/net 2>/dev/null)' -d 'on: device'
__unfrag_of 'guard' -l xdp -x -a 'auto native generic' -d 'on: how'
__unfrag_of 'guard' -s p -l priority -x -d 'on: below -400'
__unfrag_of 'guard' -l no-tune -d "on: leave the kernel's own limits"
__unfrag_of 'guard' -l id -x -a '(__unfrag_guards)' -d 'the guard of that id'
__unfrag_of 'guard' -l all -d 'status: guards in all namespaces'
__unfrag_of 'guard' -s n -l number -x -d 'top: so many sources'
__unfrag_of 'guard' -l memory -x -d 'for fragments'
__unfrag_of 'guard' -l timeout -x -d 'for a datagram to become whole'
__unfrag_of 'guard' -l share -x -d 'of free memory for one source'
__unfrag_of 'guard' -l floor -x -d 'for a source in any case'
__unfrag_of 'guard' -l datagrams -x -d 'open at once'
__unfrag_of 'guard' -l ipv4-prefix -x -d 'bits that make a source'
__unfrag_of 'guard' -l ipv6-prefix -x -d 'bits that make a source'
__unfrag_of 'guard' -l small-after -x -d 'fragments before their mean size counts'
__unfrag_of 'guard' -l small-mean -x -d 'that it has to be'
__unfrag_of 'guard' -l truesize -x -d 'of a fragment, at tc and xdp'
__unfrag_of 'guard' -l forget -x -d 'until good standing counts no more'
__unfrag_of 'guard' -l events -x -d 'refusals told a second'
__unfrag_of 'guard' -l allow -x -d 'rules to switch off' \
    -a '(__fish_append , none unreadable empty length oversize chain tiny discovery overlap end ecn duplicate small)'
__unfrag_of 'guard' -l openmetrics -d 'status: print OpenMetrics'

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

# run
__unfrag_of 'run' -F
__unfrag_of 'run' -s n -l name -x -d 'name of the attachment'
__unfrag_of 'run' -l netns -x -a '(__unfrag_netns)' -d 'network namespace'
__unfrag_of 'run' -l memory -x -d 'refuse what takes more'

functions -e __unfrag_of __unfrag_verb

# policy
function __unfrag_policy # WORDS ARGUMENTS of complete
    complete -c unfrag -n "__fish_seen_subcommand_from policy; and __fish_seen_subcommand_from $argv[1]" \
        $argv[2..]
end

complete -c unfrag -n '__fish_seen_subcommand_from policy; and not __fish_seen_subcommand_from check diff explain load reload set show unload watch' \
    -a 'check diff explain load reload set show unload watch'
__unfrag_policy 'check diff explain load reload set show unload watch' -l json -d 'print JSON'
__unfrag_policy 'check diff explain load reload set' -F
__unfrag_policy 'check load reload' -l memory -x -d 'refuse what takes more'
__unfrag_policy 'explain' -l packet -x -d 'a packet in words'
__unfrag_policy 'explain' -l pcap -r -d 'packets of a capture'
__unfrag_policy 'explain' -l with -x -d "what a capture can't say"
__unfrag_policy 'set' -l table -x -d 'the table that the set is in'
__unfrag_policy 'load' -s n -l name -x -d 'name of the attachment'
__unfrag_policy 'load' -l netns -x -a '(__unfrag_netns)' -d 'network namespace'
__unfrag_policy 'load' -l on-fail -x -a 'open closed' -d 'what is in force then'
__unfrag_policy 'load' -l replace -d 'put it in place of what has the name'
__unfrag_policy 'show' -l terse -d 'no elements of sets'
__unfrag_policy 'diff reload show unload watch' -a '(__unfrag_names)' -d attachment
