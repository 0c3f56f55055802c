"""The texts of a new study's files; what stands in braces is filled in."""

from __future__ import annotations

STUDY = """\
# A paper made runnable. Step by step: docs/add-a-study.md.
id = {id}
title = {title}
authors = {authors}
year = {year}
where = {where}
about = {about}
protocols = ["rigorous"]

# What every cell has unless its group below says otherwise.
[axes]
model = {model}
image_size = {image_size}
batch_size = {batch_size}
seed = 0

# The environment of each framework: a folder of images/.
[images]
{framework} = {image}

# Recipes: these are those of {source}. Put in what the paper says, and list below what it leaves
# open.
{recipes}
# Tiers: how much of the recipe is spent. The comparison is the same in each.
{tiers}
# The cells. Lists multiply. `weights` names the cell to start from (technique: the same unless
# given). Estimates are seconds for one cell.
{cells}
# What the paper leaves open, our choice, and why. One entry for each.
[[unspecified]]
what = "the recipes"
choice = "those of {source}"
why = "nothing has been taken from the paper yet"
"""

TABLES = """\
# Where each table stands in the paper, and what each of its columns measures.
# `key` names the CSV's columns that are fields of a cell; a column that no cell has (a processor, a
# version) goes under `labels`.
[[table]]
id = "table1"
title = "Latency"
place = "Table 1"
data = "table1.csv"
key = ["technique", "batch_size"]
select = {{ framework = {framework}, task = "infer" }}

# Units, metrics and derivations: docs/add-a-study.md.
[[table.column]]
name = "latency"
label = "latency"
unit = "ms"
metric = "latency_s"
"""

CSV_HEADER = "technique,batch_size,latency"

CLAIMS = """\
# What the paper says, in our own words, with its place, its test and the tolerance of the test.
# The language of tests: docs/claims.md.
[[claim]]
id = "faster"
place = "Table 1"
text = "The quantized model answers faster than its float32 baseline."
table = "table1"
{claim}
"""

AUDIT = """\
# Statements that the published numbers have to satisfy. Derived columns need no entry.
[[check]]
id = "positive"
kind = "bound"
place = "Table 1"
rule = "no call takes less than no time"
test = "every(table1, latency > 0)"
sure = "certain"
"""

OVERLAY = """\
# What is given here replaces or adds to {name}: tables by key, `cells`, `unspecified` and `ladder`
# entry by entry, everything else as a whole. Cells that both have are the same cells (same ids).
id = {id}
extends = {base}
title = {title}

# For example another batch size:
[[cells]]
task = "infer"
framework = [{framework}]
technique = [{technique}]
recipe = {recipe}
batch_size = [{batch_size}]
{weights}
estimate_s = {estimates}
"""
