#!/usr/bin/env bash
# Installs the Apache-2 edition of TimescaleDB, as Debian packages it, into a private directory: nothing of the system
# changes, and it runs beside an older Debian too, because it brings its own C library. Where packages come from is read
# from the machine's own apt configuration. Prints the directory of the programs (postgres, initdb) on the last line.
#
#   test/db/install-timescale.sh DIRECTORY
set -euo pipefail

directory=${1:?usage: install-timescale.sh DIRECTORY}
suite=trixie
major=17
packages="postgresql-$major postgresql-client-$major postgresql-$major-timescaledb libc6 libgcc-s1 libstdc++6 libpq5 libicu76 libssl3t64
  libzstd1 liblz4-1 liblzma5 zlib1g libxml2 libxxhash0 libreadline8t64 libtinfo6 libpam0g libaudit1 libcap-ng0
  libsystemd0 libcap2 libldap2 libsasl2-2 libgssapi-krb5-2 libkrb5-3 libkrb5support0 libk5crypto3 libcom-err2
  libkeyutils1"

programs=$directory/root/usr/lib/postgresql/$major/bin
if [ -e "$directory/complete" ]; then
  echo "$programs"
  exit 0
fi

command -v apt-get >/dev/null || { echo "this machine has no apt" >&2; exit 3; }
codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
mirror=$(apt-get indextargets --no-release-info --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
  awk -v codename="$codename" '$2 == codename && $3 == "main" { print $1; exit }')
[ -n "$mirror" ] || { echo "apt's sources name no mirror of Debian's main component for $codename" >&2; exit 3; }
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r "$keyring" ] || { echo "$keyring is missing (package debian-archive-keyring)" >&2; exit 3; }

mkdir -p "$directory"
# One at a time: whoever comes second finds the work done.
exec 9>"$directory/lock"
flock 9
if [ -e "$directory/complete" ]; then
  echo "$programs"
  exit 0
fi

apt=$directory/apt
rm -rf "$apt" "$directory/root"
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/packages" "$directory/root"
: >"$apt/status"
echo "deb [signed-by=$keyring] $mirror $suite main" >"$apt/sources.list"
options=(-qq -o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State=$apt"
  -o "Dir::State::lists=$apt/lists" -o "Dir::State::status=$apt/status" -o "Dir::Cache=$apt/cache"
  -o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false
  -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false -o Acquire::Retries=2 -o Acquire::http::Timeout=20)
apt-get "${options[@]}" update >&2
# shellcheck disable=SC2086
(cd "$apt/packages" && apt-get "${options[@]}" download $packages >&2)
for package in "$apt"/packages/*.deb; do
  dpkg-deb -x "$package" "$directory/root"
done
rm -rf "$apt"

# Each program is started by the loader that belongs to its libraries.
loader=
libraries=
for candidate in "$directory"/root/usr/lib/*-linux-gnu; do
  libraries=$candidate${libraries:+:$libraries}
  for file in "$candidate"/ld-linux*.so.*; do [ ! -e "$file" ] || loader=$file; done
done
[ -n "$loader" ] || { echo "the packages hold no loader" >&2; exit 4; }
for program in postgres initdb pg_dump pg_restore; do
  mv "$programs/$program" "$programs/$program.bin"
  cat >"$programs/$program" <<WRAPPER
#!/bin/sh
exec "$loader" --library-path "$libraries" --argv0 "$programs/$program" "$programs/$program.bin" "\$@"
WRAPPER
  chmod 755 "$programs/$program"
done
chmod -R a+rX "$directory/root"
chmod 755 "$directory"
"$programs/postgres" --version >&2
touch "$directory/complete"
echo "$programs"
