#!/bin/sh
# Ten indicators × five levels × eight quarters (and two years): time, memory, and how much of it is reading.
#
#   benches/one-pass.sh [RESPONSES] [PREM]        1000000 responses and target/debug/prem by default
#
# The first run links and scores; then linked and scored tables are current, so that `prem score` only reads them, and
# `prem estimate` reads and estimates. Needs GNU time for memory.
set -eu
responses=${1:-1000000}
prem=$(realpath "${2:-target/debug/prem}")
schemas=$(realpath "$(dirname "$0")/../schemas")
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cp -r "$schemas" "$place/schemas"
find "$place/schemas/indicators" -name '*.toml' ! -name 'inpatient-*' -delete
# The seven shipped indicators of the inpatient form, and three more on single items; none divided by strata, all by year and quarter.
number=0
for item in discharge_prepared felt_safe organised; do
    number=$((number + 1))
    sed -e "s/^id = .*/id = \"bench-$number\"/" -e "s/^item = .*/item = \"$item\"/" \
        "$place/schemas/indicators/inpatient-overall-score.toml" > "$place/schemas/indicators/bench-$number.toml"
done
sed -i -e '/^strata = /d' -e 's/^periods = .*/periods = ["year", "quarter"]/' \
    -e 's/^levels = .*/levels = ["rhf", "hf", "hospital", "department", "ward"]/' "$place"/schemas/indicators/*.toml
printf 'schemas = "schemas"\ninbox = "inbox"\nstore = "store"\npublish = "published"\nsettle_minutes = 0\n' > "$place/prem.toml"
cd "$place"
"$prem" sample --out . --responses "$responses" --contacts $((responses * 2)) --broken-share 0 --quiet
measure() {
    command time -f "$1: %e s, %U s of processor, %M kB at most" "$prem" "$2" --force --config prem.toml --output json --quiet > /dev/null
}
measure "taking in, linking, scoring and estimating" estimate
measure "reading what is scored" score
measure "reading and estimating" estimate
