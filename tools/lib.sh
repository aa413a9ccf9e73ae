# shellcheck shell=sh
# What the tools share: the packages that a build needs, and building out of tree. To be sourced, with $here: the
# directory of the tools.
# shellcheck disable=SC2034,SC2154 # variables that the tools set or read

root=$(dirname "$here")
jobs=$(getconf _NPROCESSORS_ONLN)

# What a user's environment must not bring into a build.
unset MAKEFLAGS MFLAGS DESTDIR CDPATH CONFIG_SITE

# A root file system that was only unpacked has no /proc, without which Linux can't tell one container from another.
mount_proc()
{
	if [ "$(uname)" = Linux ] && [ ! -e /proc/self/stat ]; then
		mount -t proc proc /proc && proc_mounted=yes
	fi
}

unmount_proc()
{
	if [ -n "${proc_mounted-}" ]; then
		umount /proc && proc_mounted=
	fi
}

# What installs packages here: pkg, apt, apk or dnf; empty, where it is something else.
find_manager()
{
	if [ "$(uname)" = FreeBSD ]; then
		echo pkg
	elif command -v dpkg-query >/dev/null; then
		echo apt
	elif command -v apk >/dev/null; then
		echo apk
	elif command -v dnf >/dev/null; then
		echo dnf
	fi
}
manager=$(find_manager)

# -- Packages: what a build needs, what tests need besides, what more tests could use where it can be had (each lacking one
# skips some tests), what the long proofs could use besides, and what the demo needs.

case $manager in
pkg)
	packages_build='autoconf automake pkgconf libevent jansson'
	packages_check='check python3'
	packages_wanted='hs-ShellCheck bash zsh fish perl5 node lua54 lua54-luasocket'
	packages_prove='spin'
	packages_demo=''
	;;
apk)
	packages_build='gcc musl-dev linux-headers make autoconf automake pkgconf libevent-dev jansson-dev libbsd-dev'
	packages_check='check-dev procps-ng netcat-openbsd python3 py3-jsonschema runc crun bubblewrap busybox-static lxc mandoc
		coreutils findutils diffutils tar util-linux'
	packages_wanted='shellcheck podman bash zsh fish perl nodejs lua5.4 lua5.4-socket ansible-core'
	packages_prove='clang clang-extra-tools compiler-rt llvm cppcheck valgrind valgrind-dev'
	packages_demo='procps-ng busybox-static'
	;;
dnf)
	packages_build='gcc make autoconf automake pkgconf-pkg-config libevent-devel jansson-devel libbsd-devel'
	packages_check='check-devel procps-ng netcat python3 python3-jsonschema runc crun bubblewrap busybox lxc mandoc
		gawk findutils diffutils util-linux'
	packages_wanted='ShellCheck podman systemd-container zsh fish perl-interpreter nodejs lua lua-socket ansible-core'
	packages_prove='clang clang-tools-extra compiler-rt llvm cppcheck valgrind valgrind-devel spin musl-gcc'
	packages_demo='procps-ng busybox'
	;;
*)
	packages_build='gcc libc6-dev make autoconf automake pkg-config libevent-dev libjansson-dev libbsd-dev'
	packages_check='check procps netcat-openbsd python3 python3-jsonschema runc crun bubblewrap busybox-static lxc mandoc'
	packages_wanted='shellcheck podman systemd-container bash zsh fish perl nodejs lua5.4 lua-socket ansible-core'
	packages_prove='clang clang-tidy libclang-rt-dev llvm cppcheck valgrind spin musl-tools'
	packages_demo='procps busybox-static'
	;;
esac

has_package()
{
	case $manager in
	pkg) pkg info -e "$1" ;;
	apk) apk info -q -e "$1" ;;
	dnf) rpm -q --quiet "$1" ;;
	*) [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ] ;;
	esac
}

# missing_packages NAME...: those that are not installed.
missing_packages()
{
	for package in "$@"; do
		has_package "$package" || printf '%s ' "$package"
	done
}

# install_packages [NAME...]: what is missing of these, or of what a build and a container need. A machine of another
# kind is left to its owner, and configure says what it lacks.
install_packages()
{
	if [ $# -eq 0 ]; then
		# shellcheck disable=SC2086 # lists of words
		set -- $packages_build $packages_demo
	fi
	if [ -z "$manager" ]; then
		echo "Neither apt, apk, dnf nor pkg here: taking for granted what Debian calls $*"
		return 0
	fi
	# shellcheck disable=SC2046 # a list of words
	set -- $(missing_packages "$@")
	if [ $# -eq 0 ]; then
		return 0
	fi
	case $manager in
	pkg) env ASSUME_ALWAYS_YES=yes pkg install -y "$@" ;;
	apk) apk add --no-cache "$@" ;;
	dnf) dnf -y --setopt=install_weak_deps=False install "$@" ;;
	*)
		apt-get -q update && env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 \
		    install --no-install-recommends "$@"
		;;
	esac
}

# install_optional NAME...: what sharpens a check where it can be had, and isn't worth failing for where it can't. What is
# lacking afterwards is in $lacking.
install_optional()
{
	lacking=
	install_packages "$@" && return 0
	for wanted in "$@"; do
		install_packages "$wanted" || lacking="$lacking $wanted"
	done
}

# -- Building.

# copy_source TO: the source tree without what was built in it, for a build must not litter it, nor find old objects there.
copy_source()
{
	mkdir -p "$1" &&
	(
		cd "$root" &&
		find . -mindepth 2 -name config.status -type f | sed 's|/config[.]status$||' >"$1.skip" &&
		find . \( -name .git -o -name .deps -o -name autom4te.cache -o -path ./build-aux -o -name __pycache__ \) -prune -o \
		    \( -type f -o -type l \) ! -name '*.o' ! -name '*.a' ! -name '*.log' ! -name '*.trs' ! -name '*.gc??' \
		    ! -name '*~' ! -name .dirstamp ! -name '*.tar.*' ! -path ./Makefile ! -name Makefile.in ! -name aclocal.m4 \
		    ! -name configure ! -name 'config.[hls]*' ! -name stamp-h1 ! -path ./jaildaemon ! -path ./jaildaemon-probe \
		    ! -path ./etc/jaildaemon.service ! -path ./etc/openrc/jaildaemon ! -path './etc/rc.d/*' \
		    ! -path ./tests/unit ! -path ./tests/process ! -path ./tests/hostile -print |
		    awk -v skip="$1.skip" '
			BEGIN { while ((getline dir < skip) > 0) skipped[++n] = dir "/" }
			{ for (i = 1; i <= n; i++) if (index($0, skipped[i]) == 1) next; print }' >"$1.files" &&
		tar -cf "$1.tar" -T "$1.files"
	) &&
	tar -xof "$1.tar" -C "$1" &&
	rm "$1.tar"
}

# prepare_source SOURCE: writes its configure.
prepare_source()
{
	(cd "$1" && autoreconf -fi)
}

# configure_tree SOURCE BUILD [ARGUMENT...]
configure_tree()
{
	source_dir=$1
	build_dir=$2
	shift 2
	mkdir -p "$build_dir" && (cd "$build_dir" && "$source_dir/configure" "$@")
}

# make_tree BUILD [ARGUMENT...]
make_tree()
{
	build_dir=$1
	shift
	(cd "$build_dir" && make -j"$jobs" "$@")
}

# build_tree BUILD [ARGUMENT...]: all of it at once, from a copy of the source in BUILD.source.
build_tree()
{
	build_at=$1
	shift
	copy_source "$build_at.source" && prepare_source "$build_at.source" &&
	    configure_tree "$build_at.source" "$build_at" "$@" && make_tree "$build_at"
}
