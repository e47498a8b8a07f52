#!/usr/bin/env bash
# Puts Debian's Chromium, and what of its libraries this machine lacks, into a private directory: nothing of the system
# changes. Where packages come from is read from the machine's own apt configuration. Prints the program on the last
# line.
#
#   test/web/install-chromium.sh DIRECTORY
set -euo pipefail

directory=${1:?usage: install-chromium.sh DIRECTORY}
program=$directory/chromium
if [ -e "$directory/complete" ]; then
  echo "$program"
  exit 0
fi
command -v apt-get >/dev/null || { echo "this machine has no apt" >&2; exit 3; }

mkdir -p "$directory"
# One at a time: whoever comes second finds the work done.
exec 9>"$directory/lock"
flock 9
if [ -e "$directory/complete" ]; then
  echo "$program"
  exit 0
fi

apt=$directory/apt
rm -rf "$apt" "$directory/root"
mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial" "$directory/root"
options=(-qq -o "Dir::State::lists=$apt/state/lists" -o "Dir::Cache=$apt/cache" -o Debug::NoLocking=1
  -o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false
  -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false -o Acquire::Retries=2 -o Acquire::http::Timeout=20)
apt-get "${options[@]}" update >&2
apt-get "${options[@]}" install --yes --download-only --reinstall --no-install-recommends chromium fonts-dejavu-core >&2
for package in "$apt"/cache/archives/*.deb; do
  dpkg-deb -x "$package" "$directory/root"
done
rm -rf "$apt"

# Some packages keep libraries in directories of their own, which only the loader's path of an installed system names.
libraries=$(find "$directory/root" -name '*.so*' -not -path '*/usr/lib/chromium/*' -printf '%h\n' | sort -u | paste -sd:)
cat >"$program" <<EOF
#!/bin/sh
LD_LIBRARY_PATH="$libraries" exec "$directory/root/usr/lib/chromium/chromium" --no-sandbox "\$@"
EOF
chmod +x "$program"
"$program" --version >&2
touch "$directory/complete"
echo "$program"
