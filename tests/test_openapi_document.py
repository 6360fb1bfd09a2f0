"""OpenAPI documents as tools: what is read, what is mended, and what is refused, each with its place."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_examples import PETS

from tertulia.errors import ScenarioError
from tertulia.scenario import ToolSchema
from tertulia.worlds.openapi_document import Api, api_of, read_api


@pytest.fixture(scope="module")
def api() -> Api:
    return api_of(PETS, "pets.yaml")


@pytest.fixture(scope="module")
def tools(api: Api) -> dict[str, ToolSchema]:
    return {tool.name: tool for tool in api.tools}


def document(**paths: Any) -> str:
    return json.dumps({"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "paths": paths})


def one(operation: dict[str, Any], path: str = "/things") -> tuple[ToolSchema, Api]:
    made = api_of(document(**{path: {"post": operation}}), "doc.json")
    return made.tools[0], made


def test_every_operation_is_a_tool_that_reads_or_writes_as_its_verb_says(tools: dict[str, ToolSchema]) -> None:
    assert {name: tool.writes for name, tool in tools.items()} == {
        "get_pets": False,
        "createPet": True,
        "getPet": False,
        "updatePet": True,
        "deletePet": True,
    }


def test_arguments_of_path_query_and_body_are_one_schema_and_keep_their_places(tools: dict[str, ToolSchema]) -> None:
    tool = tools["updatePet"]

    assert list(tool.parameters["properties"]) == ["petId", "name"]
    assert tool.parameters["required"] == ["petId"]
    assert tool.operation is not None
    assert {name: [place.at for place in places] for name, places in tool.operation.places.items()} == {
        "petId": ["path"],
        "name": ["body"],
    }


def test_words_of_openapi_3_0_become_json_schema_2020_12(tools: dict[str, ToolSchema]) -> None:
    assert tools["getPet"].parameters["properties"]["petId"] == {"type": "integer", "exclusiveMinimum": 0}
    assert tools["createPet"].parameters["properties"]["born"] == {"type": ["string", "null"], "format": "date"}


def test_all_of_is_one_object_and_what_only_answers_hold_is_not_sent(tools: dict[str, ToolSchema]) -> None:
    assert list(tools["createPet"].parameters["properties"]) == ["name", "species", "born", "mother"]
    assert tools["createPet"].parameters["required"] == ["name"]
    assert "id" in tools["createPet"].output["properties"]


def test_a_schema_that_holds_itself_ends_in_a_definition(tools: dict[str, ToolSchema]) -> None:
    output = tools["getPet"].output

    assert output["properties"]["mother"] == {"$ref": "#/$defs/Pet"}
    Draft202012Validator(output).validate({"name": "a", "mother": {"name": "b", "mother": {"name": "c"}}})
    assert not Draft202012Validator(output).is_valid({"name": "a", "mother": {"name": "b", "mother": {}}})


def test_servers_security_and_statuses_are_kept(api: Api, tools: dict[str, ToolSchema]) -> None:
    create, delete = tools["createPet"].operation, tools["deletePet"].operation
    assert create is not None
    assert delete is not None
    assert (create.server, create.security, delete.security) == ("https://eu.pets.example/v1", ("key",), ())
    assert (api.schemes["key"].at, api.schemes["key"].name) == ("header", "X-Key")
    assert [response.status for response in tools["createPet"].responses] == ["201", "400"]


def test_what_is_read_otherwise_than_it_stands_is_noted_at_its_line(api: Api) -> None:
    line = PETS.splitlines().index(next(text for text in PETS.splitlines() if "(a+)+" in text)) + 1

    assert [(note.line, note.message) for note in api.notes] == [
        (line, "left out the pattern '(a+)+$': no safe regular expression")
    ]


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        ({"operationId": "create thing!"}, "create_thing"),
        ({}, "post_things"),
        ({"operationId": "x" * 90}, "x" * 64),
        ({"operationId": "1st"}, "_1st"),
    ],
)
def test_any_operation_gets_a_name_that_chat_apis_take(operation: dict[str, Any], name: str) -> None:
    assert one(operation)[0].name == name


def test_the_same_name_in_two_parts_of_the_request_is_one_argument_that_goes_to_both() -> None:
    body = {"content": {"application/json": {"schema": {"type": "object", "properties": {"user": {"type": "string"}}}}}}
    query = [{"name": "user", "in": "query", "required": True, "schema": {"type": "string"}}]
    tool, _ = one({"requestBody": body, "parameters": query})

    assert tool.operation is not None
    assert [place.at for place in tool.operation.places["user"]] == ["query", "body"]
    assert tool.parameters["required"] == ["user"]


def test_a_path_parameter_that_nobody_describes_is_an_argument_all_the_same() -> None:
    tool, api = one({}, "/things/{id}")

    assert tool.parameters["required"] == ["id"]
    assert "not described" in api.notes[0].message


def test_a_body_that_is_no_object_is_one_argument() -> None:
    body = {"content": {"application/json": {"schema": {"type": "array", "items": {"type": "string"}}}}}
    tool, _ = one({"requestBody": body})

    assert tool.parameters["properties"]["body"]["type"] == "array"


@pytest.mark.parametrize(
    ("schema", "read"),
    [
        ({"type": "int"}, {"type": "integer"}),
        ({"type": "date"}, {"type": "string", "format": "date"}),
        ({"type": "banana"}, {}),
        ({"type": "string", "minLength": "three"}, {"type": "string"}),
        ({"type": "string", "enum": []}, {"type": "string"}),
        ({"$ref": "#/nowhere"}, {}),
        ({"$ref": "https://elsewhere.example/x.json"}, {}),
        (7, {}),
    ],
)
def test_schemas_that_say_nothing_sound_are_read_as_they_are_likely_meant(schema: Any, read: dict[str, Any]) -> None:
    tool, _ = one({"parameters": [{"name": "a", "in": "query", "schema": schema}]})

    assert tool.parameters["properties"]["a"] == read


def test_references_that_double_at_every_level_stay_small() -> None:
    """The billion laughs of references."""
    schemas = {f"L{n}": {"type": "object", "properties": {"a": ref(n + 1), "b": ref(n + 1)}} for n in range(40)}
    schemas["L40"] = {"type": "string"}
    responses = {"200": {"description": "", "content": {"application/json": {"schema": ref(0)}}}}
    raw = json.loads(document(**{"/a": {"get": {"responses": responses}}})) | {"components": {"schemas": schemas}}
    tool = api_of(json.dumps(raw), "doc.json").tools[0]

    assert len(json.dumps(tool.output)) < 10_000
    assert len(tool.output["$defs"]) == 41


def ref(n: int) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/L{n}"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("[]", "got a list"),
        ("a: 1", "it has no `paths`"),
        ('{"openapi": "3.0.0", "paths": {}}', "no operation can be read"),
        ('{"openapi": "3.0.0", "paths": ', "not valid JSON"),
        ('{"paths": NaN}', "NaN is no number"),
        ("paths: [a", "is not closed"),
        ('{"swagger": "2.0", "paths": {"/a": {"get": {}}}}', "Swagger 2.0 is not OpenAPI 3"),
        ("[" * 100_000, "expected"),
        ('{"a":' * 100_000, "not valid JSON"),
    ],
)
def test_what_is_no_document_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(ScenarioError, match=r"^doc:\d+:\d+: ") as caught:
        api_of(text, "doc")

    assert said in str(caught.value) or "nested more than" in str(caught.value)


def test_a_bomb_of_aliases_is_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    file = tmp_path / "bomb.yaml"
    file.write_text("\n".join([*lines, "paths: {}"]))

    with pytest.raises(ScenarioError, match="aliases repeat too much"):
        read_api(file)


def test_a_document_that_is_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "large.json"
    with file.open("wb") as stream:
        stream.truncate(50 << 20)

    with pytest.raises(ScenarioError, match="larger than 16 MiB"):
        read_api(file)
