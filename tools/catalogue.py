#!/usr/bin/env python3
"""Makes src/catalog/data/plugins.txt: the facts about fully managed plugins in the compact form that the binary embeds.

    tools/catalogue.py PLUGINS.json TRANSFORMS.json > src/catalog/data/plugins.txt

The two inputs are facts distilled from confluentinc/connect-migration-utility (Apache-2.0), templates/fm and
fm_transforms_list.json. The same inputs give the same bytes. The form is described at the head of the output; the reader
is src/catalog/reader.rs. To be run by hand when the facts are renewed; nothing runs it by itself.
"""

import collections
import json
import re
import sys

TYPES = {"STRING": "S", "PASSWORD": "P", "BOOLEAN": "B", "INT": "I", "LONG": "L", "SHORT": "H", "DOUBLE": "D", "LIST": "T"}

HEAD = """\
# Facts about fully managed connector plugins. Made by tools/catalogue.py, not written by hand.
# Source: {source}; transforms: {transforms}.
#
# + CLASS IMPLEMENTATION source|sink yes|no   a plugin; whether its transforms are known. Plugins count from 0.
# % CLASS                                     a single message transform that every plugin with known transforms takes
# @ 0-3,7                                     the keys that follow belong to these plugins
# KEY FLAGS DEFAULT ALLOWED ALIASES           tab-separated, trailing empty fields left out; `apiN.topics` for N from 1 to 15
#                                             is written `api{{1-15}}.topics`
# FLAGS: type S string P password B boolean I int L long H short D double T list; importance h m l, or - for none;
#        ! required, ~ not shown in the web console. DEFAULT begins with `=`; ALLOWED and ALIASES are parted by `|`.
"""


def text(value):
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    return shown.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def line(key, fact):
    flags = TYPES[fact["type"]] + (fact.get("importance") or "-")[0]
    flags += "!" if fact.get("required") else ""
    flags += "~" if fact.get("hidden") or fact.get("internal") else ""
    default = "" if fact.get("default") is None else "=" + text(fact["default"])
    allowed = [text(value) for value in fact.get("allowed", [])]
    # Two aliases stand in one text now and then, parted by a comma.
    aliases = [alias for written in fact.get("alias", []) for alias in written.split(",")]
    assert not any("|" in value for value in allowed + aliases), key
    return "\t".join([flags, default, "|".join(allowed), "|".join(aliases)]).rstrip("\t")


def ranges(numbers):
    runs = []
    for number in sorted(numbers):
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)


def families(keys):
    """Folds api1.x … api15.x with equal facts into one line."""
    numbered = collections.defaultdict(list)
    for key, fact in keys:
        match = re.match(r"^(.*?[a-z])(\d+)(\..*)$", key)
        if match:
            numbered[(match[1], match[3], fact)].append(int(match[2]))
    folded = set()
    for (before, after, fact), found in numbered.items():
        found.sort()
        if len(found) > 2 and found == list(range(found[0], found[-1] + 1)):
            folded |= {(f"{before}{number}{after}", fact) for number in found}
            yield f"{before}{{{found[0]}-{found[-1]}}}{after}", fact
    yield from ((key, fact) for key, fact in keys if (key, fact) not in folded)


def main(plugins_path, transforms_path):
    facts = json.load(open(plugins_path))
    moves = json.load(open(transforms_path))
    plugins = facts["plugins"]
    names = sorted(plugins)
    everything = list(range(len(moves["transforms"])))
    assert all(sorted(known) == everything for known in moves["plugins"].values()), "transforms differ by plugin now"
    out = [HEAD.format(source=facts["source"], transforms=moves["source"]).rstrip()]
    for name in names:
        known = "yes" if name in moves["plugins"] else "no"
        out.append(f"+ {name} {plugins[name]['implementation']} {plugins[name]['type']} {known}")
    out += [f"% {transform}" for transform in moves["transforms"]]
    holders = collections.defaultdict(set)
    for number, name in enumerate(names):
        for key, fact in plugins[name]["keys"].items():
            holders[(key, line(key, fact))].add(number)
    groups = collections.defaultdict(list)
    for fact, numbers in holders.items():
        groups[ranges(numbers)].append(fact)
    for numbers, keys in sorted(groups.items(), key=lambda group: (-len(holders[group[1][0]]), group[0])):
        out.append(f"@ {numbers}")
        out += sorted("\t".join(pair) for pair in families(keys))
    print("\n".join(out))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
