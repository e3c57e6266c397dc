# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Completion of unfrag(8) for bash.

# Names of attachments. Nothing without the right to list them, and so for holds.
_unfrag_names() {
	unfrag list 2>/dev/null | awk 'NR > 1 { print $1 }'
}

# Holders or ids: the first or last column of a table that others stand before.
_unfrag_holds() { # holder|id
	unfrag defrag status --all 2>/dev/null |
		awk -v id="$1" '/^HOLDER/ { on = 1; next } on { print id == "id" ? $NF : $1 }'
}

_unfrag_guards() {
	unfrag guard status --all 2>/dev/null | awk 'NR > 1 { print $1 }'
}

_unfrag_options() { # VERB
	case $1 in
	probe) echo --json --netns ;;
	attach)
		echo --name --program --family --hook --priority --netns --no-defrag --fragments \
			--unreadable --empty --verifier-log --json
		;;
	replace) echo --program --keep-maps --verifier-log --json ;;
	detach | list) echo --json ;;
	stats) echo --json --openmetrics ;;
	defrag) echo --netns --family --holder --id --all --json ;;
	guard)
		echo --at --dev --xdp --family --priority --no-tune --netns --id --all --number \
			--memory --timeout --share --floor --datagrams --ipv4-prefix --ipv6-prefix \
			--small-after --small-mean --truesize --forget --events --allow --json \
			--openmetrics
		;;
	pcap)
		echo --interface --count --tunnels --write --filter --time --keep \
			--drop-incomplete --overlap --compare --strict --buffer --report --json
		;;
	policy)
		case ${COMP_WORDS[2]} in
		check) echo --memory --json ;;
		diff) echo --json ;;
		explain) echo --packet --pcap --with --json ;;
		load) echo --name --netns --memory --on-fail --replace --json ;;
		reload) echo --memory --json ;;
		show) echo --json --terse ;;
		unload | watch) echo --json ;;
		esac
		;;
	run) echo --name --netns --memory ;;
	esac
	echo --verbose --help
}

# Answers for the value of an option; fails if the option has none.
_unfrag_value() { # OPTION VERB
	case $2,$1 in
	pcap,--write | pcap,-w | pcap,--filter | pcap,-f | pcap,--buffer) return ;;
	pcap,--count | pcap,-c) return ;;
	pcap,--interface | pcap,-i) ls /sys/class/net && return ;;
	guard,--at) echo netfilter tc xdp && return ;;
	guard,--xdp) echo auto native generic && return ;;
	guard,--dev) ls /sys/class/net 2>/dev/null && return ;;
	guard,--id) _unfrag_guards && return ;;
	guard,--allow)
		echo none unreadable empty length oversize chain tiny discovery overlap end ecn \
			duplicate small
		return
		;;
	guard,--number | guard,-n | guard,--memory | guard,--timeout | guard,--share) return ;;
	guard,--floor | guard,--datagrams | guard,--ipv4-prefix | guard,--ipv6-prefix) return ;;
	guard,--small-* | guard,--truesize | guard,--forget | guard,--events) return ;;
	policy,--memory | policy,--packet | policy,--table | policy,--with | run,--memory) return ;;
	policy,--on-fail) echo open closed && return ;;
	pcap,--time) echo first last && return ;;
	pcap,--overlap) echo drop first last bsd bsd-right linux windows solaris && return ;;
	esac
	case $1 in
	--name | -n | --program | -P | --priority | -p) ;;
	--family | -f) echo ipv4 ipv6 both ;;
	--hook | -k) echo prerouting input forward output postrouting ;;
	--fragments | --unreadable | --empty) echo drop accept ;;
	--netns) ls /run/netns 2>/dev/null ;;
	--holder) _unfrag_holds holder ;;
	--id) _unfrag_holds id ;;
	*) return 1 ;;
	esac
}

_unfrag_objects() { # WORD
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -f -X '!*.o' -- "$1"; compgen -d -- "$1")
}

_unfrag_files() { # WORD
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -f -- "$1")
}

# An argument that is no option: which it is, and what verb it is for, tells what can stand there.
_unfrag_argument() { # VERB NUMBER WORD
	local words=
	case $1,$2 in
	attach,0 | replace,1)
		_unfrag_objects "$3"
		return
		;;
	pcap,0)
		_unfrag_files "$3"
		return
		;;
	replace,0 | stats,0 | detach,*) words=$(_unfrag_names) ;;
	defrag,0) words='on off status' ;;
	guard,0) words='on off status top watch tune' ;;
	policy,0) words='check diff explain load reload set show unload watch' ;;
	policy,[1-9]*)
		case ${COMP_WORDS[2]},$2 in
		reload,1 | show,1 | unload,* | watch,1) words=$(_unfrag_names) ;;
		diff,*)
			_unfrag_files "$3"
			mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "$(_unfrag_names)" -- "$3")
			return
			;;
		*)
			_unfrag_files "$3"
			return
			;;
		esac
		;;
	run,*)
		_unfrag_files "$3"
		return
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$3")
}

# How many arguments that are no options stand between the verb and the cursor.
_unfrag_count() {
	local i n=0
	for ((i = 2; i < COMP_CWORD; i++)); do
		if [[ ${COMP_WORDS[i]} == -* ]]; then
			if [[ ${COMP_WORDS[i + 1]} == = ]]; then
				((i += 2))
			elif _unfrag_value "${COMP_WORDS[i]}" "${COMP_WORDS[1]}" >/dev/null; then
				((i += 1))
			fi
		else
			((n += 1))
		fi
	done
	echo "$n"
}

_unfrag() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb words before=
	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W "probe attach replace detach list stats defrag guard pcap policy run
			--help --version" -- "$cur")
		return
	fi
	verb=${COMP_WORDS[1]}
	# --option=value comes as three words.
	if [[ $cur == = ]]; then
		cur=
	elif [[ $prev == = ]]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	if [[ $verb == pcap && $prev == @(--write|-w) ]]; then
		_unfrag_files "$cur"
	elif words=$(_unfrag_value "$prev" "$verb"); then
		# Several hooks or rules, with commas.
		[[ $prev != @(--hook|-k|--allow) || $cur != *,* ]] || before=${cur%,*},
		mapfile -t COMPREPLY < <(compgen -P "$before" -W "$words" -- "${cur#"$before"}")
	elif [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_unfrag_options "$verb")" -- "$cur")
	else
		_unfrag_argument "$verb" "$(_unfrag_count)" "$cur"
	fi
}

complete -F _unfrag unfrag
