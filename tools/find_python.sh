#!/bin/sh
# Prints the Python to set up with; nothing when there is none.
#
# A Python that was compiled by hand, as version managers do, is often a third slower than one that was compiled with
# what was learnt from running it: a distribution's own, or one configured with --enable-optimizations. Such a one is
# taken if it is there; then whichever can make a virtual environment; then any that is new enough, and the set-up says
# what it lacks.
new='import sys; sys.exit(sys.version_info < (3, 11))'
whole="import ensurepip, venv; $new"
quick='import sys, sysconfig
sys.exit(sys.base_prefix != "/usr" and "--enable-optimizations" not in (sysconfig.get_config_var("CONFIG_ARGS") or ""))'

is() {
	"$1" -c "$2" 2>/dev/null
}

known="python3 python3.14 python3.13 python3.12 python3.11 /usr/bin/python3"
for each in $known; do
	is "$each" "$whole" && is "$each" "$quick" && echo "$each" && exit
done
for wanted in "$whole" "$new"; do
	for each in $known; do
		is "$each" "$wanted" && echo "$each" && exit
	done
done
