"""What recorded clients put on the wire, oddities included: each operation in the shape in which it was seen."""

import json
from datetime import datetime
from typing import Any

import pytest
from graphql import build_schema, is_union_type

from raito_pipeline.sandbox.raito import resolvers

from .wire import RESULT_MEMBERS, Wire, metadata, small_tree


def send_literal(wire: Wire, document: str, **more: Any) -> dict[str, Any]:
    """As old clients build it: text pasted together, line breaks escaped, a stray quote at the end."""
    body = json.dumps({"variables": {}, "query": document, **more}) + '"'
    answer = wire.post(body).json()
    assert "errors" not in answer, answer
    return answer["data"]


def test_the_version_check(wire: Wire) -> None:
    document = """query SupportedCLIVersion {
        SupportedCLIVersion { supportedVersions deprecatedVersions { deprecatedVersions msg } }
    }"""
    found = send_literal(wire, document, operationName="SupportedCLIVersion")["SupportedCLIVersion"]

    assert found["supportedVersions"].startswith(">=")
    assert found["deprecatedVersions"]["deprecatedVersions"]


def test_identity_store_metadata_with_a_trailing_comma(wire: Wire, store: str) -> None:
    document = f"""mutation SetMetaData {{
        setIdentityStoreMetaData(id: "{store}", input: {{
          type: "aws-organization",
          icon: "",
          canBeLinked: true,
          canBeMaster: true,
        }}) {{
          ... on IdentityStore {{ id }}
        }}
    }}"""
    answer = send_literal(wire, document, operationName="SetMetaData")

    assert answer["setIdentityStoreMetaData"] == {"id": store}
    found = wire.ask(f'{{ identityStore(id: "{store}") {{ ... on IdentityStore {{ type canBeMaster }} }} }}')
    assert found == {"type": "aws-organization", "canBeMaster": True}


SET_METADATA = """mutation ($id: ID! $input: DataSourceMetaDataInput!) {
    setDataSourceMetaData(id: $id, input: $input) { ... on DataSource { id } ... on BaseError { message } }
}"""


def test_data_source_metadata_in_variables(wire: Wire, source: str) -> None:
    assert wire.ask(SET_METADATA, {"id": source, "input": metadata()}) == {"id": source}
    assert wire.ask(f'{{ dataSource(id: "{source}") {{ ... on DataSource {{ type }} }} }}') == {"type": "aws-account"}


@pytest.mark.parametrize(
    ("identifier", "content", "message"),
    [
        ("nowhere", {"type": "x"}, "data source 'nowhere' does not exist"),
        (None, {"dataObjectTypes": [{"name": "a", "children": ["b"]}]}, "children of an unknown data object type: b"),
        (None, {"dataObjectTypes": [{"name": "a"}, {"name": "a"}]}, "data object types named twice: a"),
    ],
)
def test_wrong_metadata_is_answered_with_a_base_error(
    wire: Wire, source: str, identifier: str | None, content: dict[str, Any], message: str
) -> None:
    assert wire.ask(SET_METADATA, {"id": identifier or source, "input": content}) == {"message": message}


def test_a_job_in_literals(wire: Wire, source: str, store: str) -> None:
    create = f"""mutation createJob {{
        createJob(input: {{ dataSourceId: "{source}", identityStoreId: "{store}",
                            eventTime: "2026-11-24T03:00:00+01:00" }}) {{ jobId }} }}"""
    job = send_literal(wire, create)["createJob"]["jobId"]
    send_literal(
        wire,
        f"""mutation updateJob {{ updateJob(id: "{job}", input: {{ dataSourceId: "{source}",
        identityStoreId: "{store}", status: "FAILED", eventTime: "2026-11-24T03:00:01+01:00",
        errors: ["one \\"thing\\"", "another"] }}) {{ jobId }} }}""",
    )

    found = wire.ask(f'{{ job(id: "{job}") {{ status errors dataSourceId identityStoreId }} }}')
    assert found == {
        "status": "FAILED",
        "errors": ['one "thing"', "another"],
        "dataSourceId": source,
        "identityStoreId": store,
    }


@pytest.mark.parametrize("absent", [None, ""])
def test_an_absent_store_is_null_or_empty(wire: Wire, store: str, absent: str | None) -> None:
    job = wire.job(absent, store)

    assert wire.ask(f'{{ job(id: "{job}") {{ dataSourceId identityStoreId }} }}') == {
        "dataSourceId": None,
        "identityStoreId": store,
    }


def test_the_events_of_a_task(wire: Wire, source: str) -> None:
    job = wire.job(source)
    document = "mutation ($input: TaskEventInput!) { addTaskEvent(input: $input) { jobId } }"
    last = {
        "warnings": ["a warning"],
        "errors": [],
        "result": [{"objectType": "data objects", "added": 3, "updated": 2, "removed": 1, "failed": 0}],
    }
    for status in ("STARTED", "DATA_UPLOAD", "QUEUED", "COMPLETED"):
        event = {"jobId": job, "jobType": "DS", "dataSourceId": source, "identityStoreId": None, "status": status}
        extra = last if status == "COMPLETED" else {"errors": None, "warnings": None, "result": None}
        assert wire.ask(document, {"input": {**event, **extra, "eventTime": "2026-11-24T02:00:00.123456789Z"}}) == {
            "jobId": job
        }

    (task,) = wire.ask(
        f'{{ job(id: "{job}") {{ tasks {{ jobType status warnings events {{ status }}'
        " result { objectType added updated removed failed } } } }"
    )["tasks"]
    assert (task["jobType"], task["status"], task["warnings"]) == ("DS", "COMPLETED", ["a warning"])
    assert [event["status"] for event in task["events"]] == ["STARTED", "DATA_UPLOAD", "QUEUED", "COMPLETED"]
    assert task["result"] == last["result"]


def test_the_subtask_of_a_push(wire: Wire, source: str) -> None:
    job = wire.job(source)
    document = "mutation ($input: SubtaskInput!) { addSubtaskEvent(input: $input) { jobId } }"
    event = {"jobId": job, "jobType": "DA", "subtaskId": "AccessSync", "dataSourceId": source, "identityStoreId": None}
    steps = [("STARTED", None), ("IN_PROGRESS", 1_795_486_926_718), ("COMPLETED", 1_795_486_926_718)]
    for status, received in steps:
        wire.ask(
            document,
            {"input": {**event, "status": status, "receivedDate": received, "eventTime": "2026-11-24T02:00:00Z"}},
        )

    found = wire.poll(job, "DA", "AccessSync")
    assert (found["status"], found["result"], found["errors"]) == ("COMPLETED", None, [])
    received = wire.ask(
        f'{{ jobSubtask(jobId: "{job}", jobType: "DA", subtaskId: "AccessSync")'
        " { receivedDate events { status } } }"
    )
    assert received["receivedDate"] == 1_795_486_926_718
    assert [one["status"] for one in received["events"]] == ["STARTED", "IN_PROGRESS", "COMPLETED"]


@pytest.mark.parametrize(
    "document",
    [
        'mutation { createJob(input: { dataSourceId: "nowhere" }) { jobId } }',
        'mutation { updateJob(id: "nowhere", input: { status: "FAILED" }) { jobId } }',
        'mutation { addTaskEvent(input: { jobId: "nowhere", jobType: "DS", status: "STARTED" }) { jobId } }',
        '{ jobSubtask(jobId: "nowhere", jobType: "DS", subtaskId: "x") { status } }',
        'mutation { endOfTargetsSync(input: { jobIds: ["nowhere"] }) { ... on EndOfTargetsSync { success } } }',
        'mutation { addLogFileToTask(input: { jobId: "nowhere", jobType: "DS", fileKey: "x" }) { jobId } }',
        'mutation { importDataUsageRequest(input: { jobId: "nowhere", importSettings: { dataSource: "nowhere",'
        " fileKeys: [] } }) { subtask { status } } }",
    ],
)
def test_what_is_not_there_is_an_error(wire: Wire, document: str) -> None:
    answer = wire.answer(document)

    assert "does not exist" in answer["errors"][0]["message"]


@pytest.mark.parametrize(
    ("status", "job_type", "message"),
    [("DONE", "DS", "'DONE' is not a status"), ("STARTED", "XX", "'XX' is not a job type")],
)
def test_words_that_are_not_known_are_errors(wire: Wire, status: str, job_type: str, message: str) -> None:
    answer = wire.answer(
        f'mutation {{ addTaskEvent(input: {{ jobId: "{wire.job()}", jobType: "{job_type}", status: "{status}" }})'
        " { jobId } }"
    )
    assert message in answer["errors"][0]["message"]


def test_the_end_of_a_run(wire: Wire) -> None:
    answer = wire.ask(
        "mutation ($input: EndOfTargetsSyncInput!) { endOfTargetsSync(input: $input) {"
        " ... on EndOfTargetsSync { success } ... on PermissionDeniedError { message } } }",
        {"input": {"jobIds": [wire.job(), wire.job()]}},
    )
    assert answer == {"success": True}


@pytest.mark.parametrize("named", [True, False])
def test_an_import_in_literals_with_an_empty_list(wire: Wire, source: str, named: bool) -> None:
    job, key = wire.job(source), wire.upload(json.dumps(small_tree()).encode())
    document = f"""mutation ImportDataSourceRequest {{
      importDataSourceRequest(input: {{
        jobId: "{job}",
          importSettings: {{
            dataSource: "{source}",
            deleteUntouched: true,
            fileKey: "{key}",
            tagSourcesScope: [],
          }}
        }}) {{
          subtask {{
            status
            subtaskId
          }}
        }}
    }}"""
    more = {"operationName": "ImportDataSourceRequest"} if named else {}
    subtask = send_literal(wire, document, **more)["importDataSourceRequest"]["subtask"]

    assert subtask["status"] == "QUEUED"
    assert wire.wait(job, "DS", subtask["subtaskId"])["result"]["dataObjectsAdded"] == 5


def test_an_import_in_variables(wire: Wire, source: str) -> None:
    job = wire.job(source)
    request = {"jobId": job, "importSettings": {"dataSource": source, "fileKeys": []}}
    subtask = wire.ask(
        "mutation ($input: DataUsageImportRequest!) { importDataUsageRequest(input: $input) {"
        " subtask { status subtaskId } } }",
        {"input": request},
    )["subtask"]

    assert wire.wait(job, "DU", subtask["subtaskId"])["status"] == "COMPLETED"


def test_the_time_of_the_last_update_is_rfc_3339(wire: Wire, source: str) -> None:
    found = wire.imported("usage", source)

    assert datetime.fromisoformat(found["lastUpdate"]).tzinfo is not None


def test_an_export_without_a_filter(wire: Wire, source: str) -> None:
    job = wire.job(source)
    document = f"""query ExportAccessProvidersRequest {{
        exportAccessProvidersRequest(input: {{ jobId: "{job}", exportSettings: {{ dataSource: "{source}" }} }}) {{
          subtask {{ subtaskId status }} }} }}"""
    subtask = send_literal(wire, document)["exportAccessProvidersRequest"]["subtask"]

    assert subtask["status"] == "QUEUED"
    assert wire.wait(job, "DA", subtask["subtaskId"])["result"]["fileLocation"].startswith(wire.url)


def test_the_window_is_empty_before_the_first_usage(wire: Wire, source: str) -> None:
    found = wire.ask(
        f'query {{ dataSource(id: "{source}") {{ ... on DataSource {{ id usageLastUsed usageFirstUsed }} }} }}'
    )

    assert found == {"id": source, "usageLastUsed": "", "usageFirstUsed": ""}


def test_a_log_file_of_a_task(wire: Wire, source: str) -> None:
    job, content = wire.job(source), b"2026-11-24 first line\n"
    signed = wire.sign(content, "file/upload/logs/signed-url", task="DS")
    wire.session.put(
        signed["URL"], data=content, headers={k: v[0] for k, v in signed["signedHeaders"].items()}, timeout=9
    )
    wire.ask(
        "mutation ($input: LogFileToTaskInput!) { addLogFileToTask(input: $input) { jobId jobType } }",
        {"input": {"jobId": job, "jobType": "DS", "fileKey": signed["Key"]}},
    )
    wire.ask(
        f'mutation {{ addTaskEvent(input: {{ jobId: "{job}", jobType: "DS", status: "COMPLETED" }}) {{ jobId }} }}'
    )

    found = wire.ask(f'{{ job(id: "{job}") {{ tasks {{ logFiles {{ content }} }} }} }}')
    assert found["tasks"] == [{"logFiles": [{"content": content.decode()}]}]


def test_the_address_for_triggers(wire: Wire) -> None:
    found = wire.ask("{ cliTriggerUrl { ... on CliTriggerUrl { url } ... on PermissionDeniedError { message } } }")
    assert found["url"].startswith("ws://127.0.0.1:")


def test_the_names_of_types_in_documents(wire: Wire, source: str) -> None:
    """Every document in variables, as the type names are declared there, with null for what is not given."""
    job = wire.ask(
        "mutation createJob($input: JobInput!) { createJob(input: $input) { jobId } }",
        {"input": {"dataSourceId": source, "identityStoreId": None, "eventTime": "2026-11-24T02:00:00Z"}},
    )["jobId"]
    update = "mutation updateJob($id: String!, $input: JobInput!) { updateJob(id: $id, input: $input) { jobId } }"
    given = {"dataSourceId": source, "identityStoreId": None, "status": "IN_PROGRESS", "errors": []}
    assert wire.ask(update, {"id": job, "input": given}) == {"jobId": job}

    export = """query ($input: AccessProviderExportRequest!, $filter: AccessProviderExportRequestFilter!) {
        exportAccessProvidersRequest(input: $input, filter: $filter) { subtask { status subtaskId } } }"""
    for chosen in ({}, {"status": {"outOfSync": True}}, {"status": None}):
        request = {"jobId": job, "exportSettings": {"dataSource": source}}
        subtask = wire.ask(export, {"input": request, "filter": chosen})["subtask"]
        assert wire.wait(job, "DA", subtask["subtaskId"])["status"] == "COMPLETED"


def test_a_poll_in_literals_without_variables(wire: Wire, source: str) -> None:
    job = wire.job(source)
    wire.ask(
        "mutation ($input: SubtaskInput!) { addSubtaskEvent(input: $input) { jobId subtaskId } }",
        {"input": {"jobId": job, "jobType": "DA", "subtaskId": "AccessSync", "status": "STARTED"}},
    )
    document = f"""query JobSubtask {{ jobSubtask(jobId: "{job}", jobType: "DA", subtaskId: "AccessSync")
        {{ jobId jobType subtaskId status lastUpdate errors result {{ {RESULT_MEMBERS} }} }} }}"""
    for more in ({"variables": None}, {}, {"variables": {}}, {"operationName": "JobSubtask", "variables": None}):
        answer = wire.post(json.dumps({"query": document, **more}) + "}\n\x00")
        found = answer.json()["data"]["jobSubtask"]
        assert (found["jobId"], found["jobType"], found["status"], found["result"]) == (job, "DA", "STARTED", None)
        assert datetime.fromisoformat(found["lastUpdate"]).tzinfo is not None


@pytest.mark.parametrize(("selected", "expected"), [("", {"success": True}), ("__typename ", None)])
def test_the_end_of_a_run_answers_what_was_selected_and_no_more(
    wire: Wire, selected: str, expected: dict[str, Any] | None
) -> None:
    document = f"""mutation {{ endOfTargetsSync(input: {{ jobIds: ["{wire.job()}", ] }}) {{ {selected}
        ... on EndOfTargetsSync {{ success }} ... on PermissionDeniedError {{ message }} }} }}"""
    answer = send_literal(wire, document)["endOfTargetsSync"]
    assert answer == (expected or {"__typename": "EndOfTargetsSync", "success": True})


# --- set-up operations

CREATE_SOURCE = """mutation ($input: DataSourceInput!) { createDataSource(input: $input) {
    __typename ... on DataSource { id name syncMethod } ... on BaseError { message } } }"""
CREATE_STORE = """mutation ($input: IdentityStoreInput!) { createIdentityStore(input: $input) {
    __typename ... on IdentityStore { id name } ... on AlreadyExistsError { message id } } }"""


def test_setting_up_an_account(wire: Wire) -> None:
    source = wire.ask(
        CREATE_SOURCE, {"input": {"name": "A", "description": "", "syncMethod": "ON_PREM", "parent": None}}
    )
    store = wire.ask(CREATE_STORE, {"input": {"name": "A", "description": "people"}})
    link = f"""mutation {{ addIdentityStoreToDataSource(dsId: "{source["id"]}", isId: "{store["id"]}") {{
        ... on DataSource {{ identityStores {{ id }} }} ... on NotFoundError {{ message }} }} }}"""

    assert wire.ask(link) == wire.ask(link) == {"identityStores": [{"id": store["id"]}]}
    found = wire.ask(
        f'{{ dataSource(id: "{source["id"]}") {{ ... on DataSource {{'
        " name syncMethod createdAt modifiedAt parent { id } identityStores { id name type native master } } } }"
    )
    assert found["identityStores"] == [{"id": store["id"], "name": "A", "type": "", "native": False, "master": False}]
    assert found["syncMethod"] == "ON_PREM"
    assert found["parent"] is None


def test_an_unquoted_sync_method(wire: Wire) -> None:
    found = wire.ask(
        'mutation { createDataSource(input: { name: "A", syncMethod: ON_PREM }) { ... on DataSource { syncMethod } } }'
    )
    assert found == {"syncMethod": "ON_PREM"}


def test_a_name_can_be_used_once(wire: Wire) -> None:
    first = wire.ask(CREATE_STORE, {"input": {"name": "A"}})

    again = wire.ask(CREATE_STORE, {"input": {"name": "A"}})

    assert again == {
        "__typename": "AlreadyExistsError",
        "message": "identity store 'A' exists already",
        "id": first["id"],
    }


@pytest.mark.parametrize(
    ("values", "typename"),
    [
        ({"name": " "}, "InvalidInputError"),
        ({"name": "A", "syncMethod": "BY_HAND"}, "InvalidInputError"),
        ({"name": "A", "parent": "nowhere"}, "NotFoundError"),
    ],
)
def test_a_data_source_that_cannot_be(wire: Wire, values: dict[str, Any], typename: str) -> None:
    assert wire.ask(CREATE_SOURCE, {"input": values})["__typename"] == typename


def test_linking_needs_both_ends(wire: Wire, source: str) -> None:
    found = wire.ask(f'mutation {{ addIdentityStoreToDataSource(dsId: "{source}", isId: "nowhere") {{ __typename }} }}')
    assert found == {"__typename": "NotFoundError"}


PAGES = """query ($after: String, $limit: Int, $search: String, $order: [DataSourceOrderByInput!]) {
    dataSources(after: $after, limit: $limit, search: $search, order: $order) {
        ... on PagedResult { pageInfo { hasNextPage startCursor } edges { cursor node { ... on DataSource { name } } } }
        ... on PermissionDeniedError { message } } }"""


def test_pages_of_data_sources(wire: Wire) -> None:
    for name in "CAEBD":
        wire.ask(CREATE_SOURCE, {"input": {"name": name}})

    names: list[str] = []
    after = None
    for more in (True, True, False):
        found = wire.ask(PAGES, {"after": after, "limit": 2})
        names += [edge["node"]["name"] for edge in found["edges"]]
        assert found["pageInfo"]["hasNextPage"] is more
        assert found["pageInfo"]["startCursor"] == found["edges"][0]["cursor"]
        after = found["edges"][-1]["cursor"]

    assert names == ["A", "B", "C", "D", "E"]


def test_searching_and_ordering_data_sources(wire: Wire) -> None:
    for name in ("sales", "finance", "salesforce"):
        wire.ask(CREATE_SOURCE, {"input": {"name": name}})

    found = wire.ask(PAGES, {"search": "SALES", "order": [{"name": "DESC"}]})

    assert [edge["node"]["name"] for edge in found["edges"]] == ["salesforce", "sales"]


def test_a_cursor_of_nothing_is_an_error(wire: Wire) -> None:
    assert "not a cursor" in wire.answer(PAGES, {"after": "nowhere"})["errors"][0]["message"]


def test_an_empty_listing_has_no_cursor(wire: Wire) -> None:
    found = wire.ask(
        "{ identityStores { ... on PagedResult { pageInfo { hasNextPage startCursor } edges { cursor } } } }"
    )

    assert found == {"pageInfo": {"hasNextPage": False, "startCursor": None}, "edges": []}


# --- the schema


def test_every_kind_of_result_can_be_selected() -> None:
    schema = build_schema(resolvers.SCHEMA_FILE.read_text("utf-8"))
    result = schema.type_map["SubtaskResult"]

    assert is_union_type(result)
    assert all(kind.name in RESULT_MEMBERS for kind in result.types)


def test_every_field_of_the_schema_is_bound() -> None:
    schema = resolvers.build_schema()
    roots = [schema.query_type, schema.mutation_type]

    unbound = [name for root in roots if root for name, field in root.fields.items() if field.resolve is None]

    assert unbound == []
