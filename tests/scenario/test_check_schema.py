"""`iclientctl check --schema`: what it makes of documents that `check` takes and of documents that it refuses. No daemon runs."""

import copy
import json
import re

import jsonschema
import pytest

from test_iclientctl_check import ICLIENT, ROOT, check, write

EXAMPLE = re.compile(r"^```json iclient\n(.*?)^```", re.MULTILINE | re.DOTALL)
PLACEHOLDER = re.compile(r"@[A-Z_]+@")  # the demo's servers
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# Values of every type, right for one field and wrong for the others.
VALUES = [None, True, False, 0, 7, 404, -1, 1.5, 2.0, "", "x", "never", "a b", "no\nbreaks", "******", "S256", "get", "https://as.example.com/x",
          "0123456789abcdef01234567", "2026-01-01T00:00:00Z", "x" * 9000, [], ["a"], [1], ["authorizecode"], [["a"]], [{"statusCode": 401}],
          [{"statusCode": "401"}], [{"path": "ok", "values": [False]}], [{"path": "ok", "vaules": [1]}], [{"path": 1}], [{}],
          [{"name": "X-Tenant", "value": "1"}], [{"name": "X-Tenant"}], [{"name": "X", "value": "1", "more": "2"}],
          {}, {"a": "b"}, {"a": None}, {"a": {"b": "c"}}, {"a": 1}, {"a": ["b"]}, {"": "b"},
          {"$env": "NAME"}, {"$env": ""}, {"$env": 1}, {"$evn": "NAME"}, {"$env": "A", "$file": "b"}, {"a": {"$evn": "NAME"}}, {"a": "******"}]
TYPE_FAULT = re.compile(r"^must be .*, not |^is no field of |^must be true or false|^must be a string of \d+ hex digits|^must be one of |"
                        r"^has no name$|^is empty|^is the mask |^a secret is |must name its source")


@pytest.fixture(scope="module")
def schema(tmp_path_factory):
    folder = tmp_path_factory.mktemp("schema")
    (folder / "presets").mkdir()
    code, out, err = check(folder, "--schema")
    assert (code, err) == (0, "")
    schema = json.loads(out)
    jsonschema.Draft202012Validator.check_schema(schema)
    return schema


@pytest.fixture(scope="module")
def validator(schema):
    return jsonschema.Draft202012Validator(schema)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "presets").mkdir()
    return tmp_path


def pointers(schema, at=""):
    """Every field's and every group's."""
    for name, property in schema["properties"].items():
        yield f"{at}/{name}"
        if property.get("additionalProperties") is False:
            yield from pointers(property, f"{at}/{name}")


def with_value(pointer, value):
    """The good document with one more value in it."""
    document = copy.deepcopy(ICLIENT)
    *groups, name = pointer[1:].split("/")
    level = document
    for group in groups:
        level = level.setdefault(group, {})
    level[name] = value
    return document


def refused(folder, documents):
    """index -> faults of the documents that `check` refuses; each is looked at by itself."""
    faults = {}
    for start in range(0, len(documents), 100):  # `check` tells at most 1000 faults
        batch = folder / f"batch{start}"
        for index, document in enumerate(documents[start:start + 100], start):
            write(batch / f"{index}.json", {**document, "version": f"v{index}"} if "version" not in document else document)
        _, out, _ = check(folder, "--json", batch)
        for row in json.loads(out):
            if row["severity"] == "error":
                index = re.search(r"/(\d+)\.json$", row["file"])
                faults.setdefault(int(index.group(1)), []).append(row)
    return faults


def test_every_field_has_a_description(schema):
    def walk(properties):
        for name, property in properties.items():
            if "properties" in property:
                walk(property["properties"])
            else:
                assert property["description"].endswith("."), name
    walk(schema["properties"])


def test_every_example_of_the_documents_is_valid(validator):
    examples = [json.loads(text) for path in DOCUMENTS for text in EXAMPLE.findall(path.read_text())]
    assert len(examples) > 5
    for example in examples:
        validator.validate(example)


def test_every_sample_and_preset_is_valid(validator):
    samples = sorted((ROOT / "conf" / "demo" / "iclients.d").glob("*.json"))
    presets = sorted((ROOT / "conf" / "providers").glob("*.json"))
    assert samples and presets
    for path in samples:
        validator.validate(json.loads(PLACEHOLDER.sub("https://as.example.com", path.read_text())))
    for path in presets:
        document = {name: value for name, value in json.loads(path.read_text()).items() if name not in ("notes", "noGrant")}
        validator.validate({**document, "name": "of-a-preset", "provider": path.stem})


@pytest.mark.parametrize("document", [
    {}, {"name": "x"}, {"provider": "google"}, {**ICLIENT, "nmae": "x"}, {**ICLIENT, "oauth2": {**ICLIENT["oauth2"], "clientID": "x"}},
    {**ICLIENT, "oauth2": {"token": {"url": "https://as.example.com/"}}}, {**ICLIENT, "__proto__": {}}, {**ICLIENT, "oauth2": []}, [], "x", None,
])
def test_documents_that_lack_or_misname_something_are_refused_by_both(folder, validator, document):
    assert not validator.is_valid(document)
    code, _, _ = check(folder, write(folder / "document.json", json.dumps(document)))
    assert code == 1


def test_it_agrees_with_check_on_every_field_and_every_type(folder, schema, validator):
    places = [pointer for pointer in pointers(schema) if pointer != "/version"]
    cases = [(pointer, value) for pointer in places for value in VALUES]
    cases += [(pointer + "x", "x") for pointer in places]
    documents = [with_value(*case) for case in cases]
    faults = refused(folder, documents)
    assert len(places) > 100
    for index, (pointer, value) in enumerate(cases):
        valid = validator.is_valid(documents[index])
        here = [row for row in faults.get(index, []) if row["pointer"] == pointer or row["pointer"].startswith(pointer + "/")]
        wrong_type = any(TYPE_FAULT.search(row["message"]) for row in here)
        assert valid or index in faults, f"the schema refuses what check takes: {pointer} {value!r:.60}"
        assert not (valid and wrong_type), f"the schema takes what check refuses: {pointer} {value!r:.60}: {here}"


def test_it_takes_no_document(folder):
    code, out, err = check(folder, "--schema", write(folder / "sales.json", ICLIENT))
    assert (code, out) == (2, "") and "--schema" in err
