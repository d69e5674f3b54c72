"""Counts what the emulated AWS holds, with plain boto3 and the simplest rules, to compare what a sync made of it.

Nothing of the pipeline is used: a mistake of its readers shows as a difference.
"""

import gzip
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any
from urllib.parse import unquote

import boto3

from raito_pipeline.sandbox.aws.estate import Estate, EstateAccount

_DEPTH = 20
_ROOT_USER = 1


class AwsCounter:
    """Counts one account once: what several counts need is asked for the first of them."""

    def __init__(self, estate: Estate, account: EstateAccount, endpoint_url: str) -> None:
        self._clients: dict[tuple[str, str], Any] = {}
        self._account = account
        self._estate = estate
        self._session = boto3.Session(account.access_key_id, account.secret_access_key)
        self._endpoint = endpoint_url

    def _client(self, service: str, region: str) -> Any:
        made = self._clients.get((service, region))
        if made is None:
            made = self._session.client(service, region_name=region, endpoint_url=self._endpoint)  # type: ignore[call-overload]
            if service == "s3control":
                made.meta.events.register("before-call.s3-control.*", self._without_account_host)
            self._clients[service, region] = made
        return made

    def _pages(self, service: str, region: str, operation: str, **asked: Any) -> Iterator[dict[str, Any]]:
        yield from self._client(service, region).get_paginator(operation).paginate(**asked)

    def identities(self) -> dict[str, int]:
        """IAM users, with the root user that every account has, and groups."""
        users = sum(len(page["Users"]) for page in self._pages("iam", "us-east-1", "list_users"))
        groups = sum(len(page["Groups"]) for page in self._pages("iam", "us-east-1", "list_groups"))
        return {"users": users + _ROOT_USER, "groups": groups}

    @cached_property
    def _buckets(self) -> tuple[tuple[str, str], ...]:
        """Buckets in the regions of the account, but not that of CloudTrail, with their regions."""
        return tuple(self._listed_buckets())

    def _listed_buckets(self) -> Iterator[tuple[str, str]]:
        client = self._client("s3", "us-east-1")
        for bucket in client.list_buckets()["Buckets"]:
            location = client.get_bucket_location(Bucket=bucket["Name"])["LocationConstraint"] or "us-east-1"
            region = {"EU": "eu-west-1"}.get(location, location)
            if region in self._account.regions and bucket["Name"] != self._account.cloudtrail_bucket:
                yield bucket["Name"], region

    def bucket_policies(self) -> Iterator[dict[str, Any]]:
        """The policies of the buckets in the regions of the account that have one."""
        client = self._client("s3", "us-east-1")
        for name, _ in self._buckets:
            try:
                yield json.loads(client.get_bucket_policy(Bucket=name)["Policy"])
            except client.exceptions.ClientError:
                continue

    def data_objects(self) -> dict[str, int]:
        """Data objects by type."""
        return self._files() if self._account.mode == "s3" else self._tables()

    def _files(self) -> dict[str, int]:
        counted: Counter[str] = Counter()
        for bucket, region in self._buckets:
            counted["bucket"] += 1
            folders: set[str] = set()
            for page in self._pages("s3", region, "list_objects_v2", Bucket=bucket):
                for item in page.get("Contents", ()):
                    *above, name = item["Key"].split("/")
                    folders.update("/".join(above[: depth + 1]) for depth in range(min(len(above), _DEPTH)))
                    counted["file"] += bool(name) and len(above) < _DEPTH
            counted["folder"] += len(folders)
        return dict(counted)

    def _tables(self) -> dict[str, int]:
        """Every table on S3, its columns, and all above it up to a table; a location that is no table's is a folder.

        The oldest table at a location has its name, unless one that is older lies above or below it. A location is
        judged within the catalog of its region; somebody else's bucket counts once a catalog.
        """
        own = {name for name, _ in self._buckets}
        folders: set[tuple[str, str, str]] = set()
        places: set[tuple[str, str]] = set()
        counted: Counter[str] = Counter()
        for region in self._account.regions:
            tables = list(self._located(region))
            names: list[tuple[str, str]] = []
            for bucket, path, _ in sorted(tables, key=_age):
                near = (there for place, there in names if place == bucket)
                if path and not any(f"{path}/".startswith(f"{n}/") or f"{n}/".startswith(f"{path}/") for n in near):
                    names.append((bucket, path))
            paths = {(bucket, above) for bucket, path, _ in tables for above in (*_above(path), path) if above}
            below = {
                (bucket, path)
                for bucket, path in paths
                if any(b == bucket and f"{path}/".startswith(f"{name}/") for b, name in names)
            }
            catalog = {bucket: "" if bucket in own else region for bucket, _, _ in tables}
            folders |= {(catalog[bucket], bucket, path) for bucket, path in paths - below}
            places |= {(place, bucket) for bucket, place in catalog.items()}
            counted["glue-table"] += len(tables)
            counted["column"] += sum(len(set(_columns(table))) for _, _, table in tables)
        return {**counted, "bucket": len(places), "folder": len(folders)}

    def _located(self, region: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for page in self._pages("glue", region, "get_databases"):
            for database in page["DatabaseList"]:
                for answer in self._pages("glue", region, "get_tables", DatabaseName=database["Name"]):
                    for table in answer["TableList"]:
                        place = _location(table)
                        if place:
                            yield *place, table

    def known_buckets(self) -> set[str]:
        """Buckets that are data objects."""
        if self._account.mode == "s3":
            return {name for name, _ in self._buckets}
        return {bucket for region in self._account.regions for bucket, _, _ in self._located(region)}

    @cached_property
    def _tags_of_roles(self) -> dict[str, list[dict[str, str]]]:
        client = self._client("iam", "us-east-1")
        names = [role["RoleName"] for page in self._pages("iam", "us-east-1", "list_roles") for role in page["Roles"]]
        return {name: client.list_role_tags(RoleName=name)["Tags"] for name in names}

    @cached_property
    def _tags_of_policies(self) -> dict[str, list[dict[str, str]]]:
        """Tags of customer managed policies, by ARN."""
        client = self._client("iam", "us-east-1")
        pages = self._pages("iam", "us-east-1", "list_policies", Scope="Local")
        arns = [policy["Arn"] for page in pages for policy in page["Policies"]]
        return {arn: client.list_policy_tags(PolicyArn=arn)["Tags"] for arn in arns}

    def roles(self) -> Iterator[dict[str, Any]]:
        """Roles with their tags and the documents of their inline policies."""
        client = self._client("iam", "us-east-1")
        for name, tags in self._tags_of_roles.items():
            inline = client.list_role_policies(RoleName=name)["PolicyNames"]
            documents = [client.get_role_policy(RoleName=name, PolicyName=p)["PolicyDocument"] for p in inline]
            yield {"RoleName": name, "Tags": tags, "Inline": documents}

    def attached_policies(self) -> Iterator[dict[str, Any]]:
        """Managed policies that somebody has: document, tags (of customer managed ones), roles."""
        client = self._client("iam", "us-east-1")
        for page in self._pages("iam", "us-east-1", "list_policies", OnlyAttached=True):
            for policy in page["Policies"]:
                arn, version = policy["Arn"], policy["DefaultVersionId"]
                document = client.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
                roles = [
                    role["RoleName"]
                    for entities in self._pages("iam", "us-east-1", "list_entities_for_policy", PolicyArn=arn)
                    for role in entities["PolicyRoles"]
                ]
                yield {"Document": document, "Tags": self._tags_of_policies.get(arn, []), "Roles": roles}

    def principals_with_inline_policies(self) -> int:
        """Users and groups that have inline policies."""
        client = self._client("iam", "us-east-1")
        users = [u["UserName"] for page in self._pages("iam", "us-east-1", "list_users") for u in page["Users"]]
        groups = [g["GroupName"] for page in self._pages("iam", "us-east-1", "list_groups") for g in page["Groups"]]
        return sum(bool(client.list_user_policies(UserName=name)["PolicyNames"]) for name in users) + sum(
            bool(client.list_group_policies(GroupName=name)["PolicyNames"]) for name in groups
        )

    @cached_property
    def access_points(self) -> tuple[dict[str, Any], ...]:
        """Access points with their tags and policies, None where there is none."""
        return tuple(self._listed_access_points())

    def _listed_access_points(self) -> Iterator[dict[str, Any]]:
        for region in self._account.regions:
            client = self._client("s3control", region)
            account = self._account.account_id
            for point in client.list_access_points(AccountId=account)["AccessPointList"]:
                try:
                    answer = client.get_access_point_policy(AccountId=account, Name=point["Name"])
                except client.exceptions.ClientError:
                    answer = {}
                tags = client.list_tags_for_resource(AccountId=account, ResourceArn=point["AccessPointArn"])["Tags"]
                yield {"Name": point["Name"], "Policy": answer.get("Policy"), "Tags": tags}

    def _without_account_host(self, params: dict[str, Any], **_: Any) -> None:
        """The SDK puts the account into the host's name, which an address of numbers cannot have."""
        params["url"] = params["url"].replace(f"{self._account.account_id}.", "", 1)

    @cached_property
    def permission_sets_by_raito(self) -> list[str]:
        """Names of the permission sets in this account that carry the tag of Raito; the master account is asked."""
        master, region, instance = self._estate.master, self._estate.identity_center_region, self._estate.instance_arn
        session = boto3.Session(master.access_key_id, master.secret_access_key)
        sso = session.client("sso-admin", region_name=region, endpoint_url=self._endpoint)
        pages = sso.get_paginator("list_permission_sets_provisioned_to_account").paginate(
            InstanceArn=instance, AccountId=self._account.account_id
        )
        names = []
        for arn in [arn for page in pages for arn in page.get("PermissionSets", ())]:
            tags = sso.list_tags_for_resource(InstanceArn=instance, ResourceArn=arn)["Tags"]
            if is_of_raito(tags):
                described = sso.describe_permission_set(InstanceArn=instance, PermissionSetArn=arn)
                names.append(described["PermissionSet"]["Name"])
        return names

    def made_by_raito(self) -> int:
        """Roles, customer managed policies, access points and permission sets that carry the tag of Raito."""
        tags = [*self._tags_of_roles.values(), *self._tags_of_policies.values()]
        tags += [point["Tags"] for point in self.access_points]
        return sum(map(is_of_raito, tags)) + len(self.permission_sets_by_raito)

    def log_records(self) -> Iterator[dict[str, Any]]:
        """Every record of every CloudTrail log file of the account."""
        bucket = self._account.cloudtrail_bucket
        client = self._client("s3", "us-east-1")
        for page in self._pages("s3", "us-east-1", "list_objects_v2", Bucket=bucket):
            for item in page.get("Contents", ()):
                if "/CloudTrail/" in item["Key"]:
                    body = client.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
                    yield from json.loads(gzip.decompress(body))["Records"]

    def organization(self) -> dict[str, int]:
        """People and groups of Identity Center; to be asked of the master account."""
        store, region = self._estate.identity_store_id, self._estate.identity_center_region
        users = self._pages("identitystore", region, "list_users", IdentityStoreId=store)
        groups = self._pages("identitystore", region, "list_groups", IdentityStoreId=store)
        return {
            "users": sum(len(page["Users"]) for page in users),
            "groups": sum(len(page["Groups"]) for page in groups),
        }


def is_of_raito(tags: Iterable[Any]) -> bool:
    """Whether something with these tags was made by a push."""
    return any(tag["Key"].lower() == "creator" and tag["Value"].lower() == "raito" for tag in tags)


def _location(table: dict[str, Any]) -> tuple[str, str] | None:
    """Bucket and path of a table on S3."""
    text = unquote(table.get("StorageDescriptor", {}).get("Location") or "")
    scheme, separator, place = text.partition("://")
    if not separator or scheme.lower() not in ("s3", "s3a", "s3n"):
        return None
    bucket, _, path = place.partition("/")
    return bucket, path.strip("/")


def _age(located: tuple[str, str, dict[str, Any]]) -> tuple[int, int, str, str]:
    """Sorts tables by when they were made; of those of one second, the upper one comes first."""
    _, path, table = located
    return int(table["CreateTime"].timestamp()), path.count("/"), table["DatabaseName"], table["Name"]


def _above(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: n + 1]) for n in range(len(parts))]


def _columns(table: dict[str, Any]) -> Iterable[str]:
    columns = [*table.get("StorageDescriptor", {}).get("Columns", ()), *table.get("PartitionKeys", ())]
    return (column["Name"] for column in columns)
