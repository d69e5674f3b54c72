"""One table of situations that people bring about: who, what, changes, locks, names, limits, for each of the types.

A row is AWS before, an export, and what a push plans and says. Expectations are written by hand from the rules of each
type; nothing is asked over the wire.
"""

from dataclasses import replace
from typing import Any

import pytest

from raito_pipeline.config.groups import PushOptions
from raito_pipeline.model import AccessControl, Tag
from tests.aws.push.conftest import ACCOUNT
from tests.aws.push.situations import (
    OTHER,
    RAITO,
    THERE,
    WHOLE,
    Situation,
    a_point,
    a_policy,
    a_role,
    a_set,
    allowed,
    gives,
    granted,
    on,
    point_arn,
    reserved,
    user,
    who,
)

ROLE, POLICY, SET, POINT = "aws_role", "aws_policy", "aws_sso_role", "aws_access_point"
NO_ONE = "nobody can assume the role"
INLINE = "r/Raito_Inline_r"
BY_MAIL = "recipients by e-mail address"


def r(*names: str, **changes: Any) -> AccessControl:
    return granted("r", ROLE, who(*names), **changes)


def p(*names: str, **changes: Any) -> AccessControl:
    return granted("p", POLICY, who(*names), **changes)


def s(*names: str, **changes: Any) -> AccessControl:
    return granted("s", SET, who(*names), **changes)


def q(*names: str, **changes: Any) -> AccessControl:
    return granted("pt1", POINT, who(*names), **changes)


NEW_R = ("create role r", f"create role-inline-policy {INLINE}")
NEW_P = ("create policy p", "attach attachment user:ada")
NEW_S = ("create permission-set s", "create permission-set-policy s", "create assignment s/user:ann")
REFERENCED = ("create policy p", "attach permission-set-reference s", "provision permission-set-in-account s")
NEW_Q = ("create access-point pt1", "create access-point-policy pt1")

# -- who ---------------------------------------------------------------------------------------------------------------

WHO = [
    Situation("role for nobody", (), r(), NEW_R, warnings=(NO_ONE,)),
    Situation("role for one", (), r("ada"), NEW_R),
    Situation("role for several", (), r("ada", "bob", "cyd"), NEW_R),
    Situation("role for one named twice", (), r("ada", "ada"), NEW_R),
    Situation("role for an unknown user", (), r("eve"), NEW_R, ("user eve is not in IAM",), (NO_ONE,)),
    Situation("role for a user in other letters", (), r("ADA"), NEW_R, ("user ADA is not in IAM",), (NO_ONE,)),
    Situation("role for one good and two bad", (), r("ada", "eve", "group:x"), NEW_R, ("group x", "user eve")),
    Situation("role for a group", (), r("group:staff"), NEW_R),
    Situation("role for a group and its member", (), r("bob", "group:staff"), NEW_R),
    Situation("role for a group without members", (), r("group:empty"), NEW_R, (), (NO_ONE,)),
    Situation("role for an unknown group", (), r("group:x"), NEW_R, ("group x is not in IAM",), (NO_ONE,)),
    Situation("role for a role", (), r("ada", "role:x"), NEW_R, ("role:x in its who was left out",)),
    Situation("role for another access control", (), r("ada", "ID:z"), NEW_R, ("ID:z in its who was left out",)),
    Situation("role for a permission set", (), r("ada", "ssorole:S"), NEW_R, ("ssorole:S in its who",)),
    Situation("role for a recipient", (), r("ada", "mail:x@y"), NEW_R, (), (BY_MAIL,)),
    Situation("policy for nobody", (), p(), NEW_P[:1]),
    Situation("policy for several", (), p("ada", "bob"), (*NEW_P, "attach attachment user:bob")),
    Situation("policy for one named twice", (), p("ada", "ada"), NEW_P),
    Situation("policy for an unknown user", (), p("eve"), NEW_P[:1], ("user eve is not in IAM",)),
    Situation("policy for a group as a group", (), p("group:staff"), ("create policy p",
              "attach attachment group:staff")),
    Situation("policy for a group without members", (), p("group:empty"), ("create policy p",
              "attach attachment group:empty")),
    Situation("policy for an unknown group", (), p("ada", "group:x"), NEW_P, ("group x is not in IAM",)),
    Situation("policy for a role", a_role("x", "ada"), p("role:x"),
              ("create policy p", "attach attachment role:x", "none aws_role x")),
    Situation("policy for an unknown role", (), p("ada", "role:x"), NEW_P, ("role:x in its who is no role",)),
    Situation("policy for a role of the push", (), (p("ID:r"), r("ada")),
              (*NEW_R, "create policy p", "attach attachment role:r")),
    Situation("policy for a role of the push by name", (), (p("role:r"), r("ada")),
              (*NEW_R, "create policy p", "attach attachment role:r")),
    Situation("policy for a role that is refused", (), (p("ada", "ID:r"), r("ada", action="deny")),
              ("refuse aws_role r", *NEW_P), ("ID:r in its who is no role", "only 'grant'")),
    Situation("policy for an unknown access control", (), p("ada", "ID:z"), NEW_P, ("ID:z in its who is no role",)),
    Situation("policy for another policy", (), p("ada", "policy:x"), NEW_P, ("policy:x in its who is no role",)),
    Situation("policy for a permission set of the push", (), (p("ID:s"), s("ann")),
              (*NEW_S[:2], *REFERENCED[:2], NEW_S[2])),
    Situation("policy for a permission set by name", a_set("s", "USER u-ann"), p("ssorole:s"),
              (*REFERENCED, "none aws_sso_role s")),
    Situation("policy for a permission set by its role", a_set("s", "USER u-ann"),
              p("ssorole:AWSReservedSSO_s_0123456789abcdef"), (*REFERENCED, "none aws_sso_role s")),
    Situation("policy for a permission set that is removed", a_set("s", "USER u-ann"),
              (p("ada", "ssorole:s"), s(external_id="ssorole:s", actual_name="s", delete=True)),
              ("delete assignment s/user:ann", "delete permission-set s", *NEW_P),
              ("ssorole:s in its who is removed",)),
    Situation("policy for a permission set of others", a_set("s", tags=()), p("ada", "ssorole:s"), NEW_P,
              ("permission set s was not made by Raito",)),
    Situation("policy for a permission set of another account", a_set("s", tags=(RAITO, Tag("raito_account", OTHER))),
              p("ada", "ssorole:s"), NEW_P, (f"permission set s is that of account {OTHER}",)),
    Situation("policy for an unknown permission set", (), p("ada", "ssorole:s"), NEW_P,
              ("there is no permission set s",)),
    Situation("policy for a permission set without organization", (), p("ada", "ssorole:s"), NEW_P,
              ("the account links no organization",), center=False),
    Situation("policy for the role of a permission set", reserved("x"), p("role:AWSReservedSSO_x_0123456789abcdef"),
              NEW_P[:1], ("only AWS changes",)),
    Situation("policy for a recipient", (), p("ada", "mail:x@y"), NEW_P, (), (BY_MAIL,)),
    Situation("set for nobody", (), s(), NEW_S[:2]),
    Situation("set for a person and a group", (), s("ann", "group:analysts"),
              (*NEW_S[:2], "create assignment s/group:analysts", NEW_S[2])),
    Situation("set for one named twice", (), s("ann", "ann"), NEW_S),
    Situation("set for an unknown person", (), s("ann", "eve"), NEW_S, ("user eve is not in the identity store",)),
    Situation("set for a user of IAM", (), s("ada"), NEW_S[:2], ("user ada is not in the identity store",)),
    Situation("set for an unknown group", (), s("ann", "group:x"), NEW_S, ("group x is not in the identity store",)),
    Situation("set for one of two groups of a name", (), s("ann", "group:twins"), NEW_S, ("2 groups",)),
    Situation("set for another access provider", (), s("ann", "role:x", "ID:z"), NEW_S, ("role:x, ID:z",)),
    Situation("set for a recipient", (), s("ann", "mail:x@y"), NEW_S, (), (BY_MAIL,)),
    Situation("set for nobody with a dummy user", (), s(), (*NEW_S[:2], "create assignment s/user:ben"),
              options=PushOptions(aws_permissionset_dummy_user="ben")),
    Situation("set for somebody with a dummy user", (), s("ann"), NEW_S,
              options=PushOptions(aws_permissionset_dummy_user="ben")),
    Situation("set for an unknown person with a dummy user", (), s("eve"), (*NEW_S[:2], "create assignment s/user:ben"),
              ("user eve is not in the identity store",), options=PushOptions(aws_permissionset_dummy_user="ben")),
    Situation("set with an unknown dummy user", (), s(), NEW_S[:2], ("user nobody is not in the identity store",),
              options=PushOptions(aws_permissionset_dummy_user="nobody")),
    Situation("point for nobody", (), q(), NEW_Q[:1], (), ("nobody is in its who",)),
    Situation("point for several", (), q("ada", "bob"), NEW_Q),
    Situation("point for an unknown user", (), q("ada", "eve"), NEW_Q, ("user eve in its who is not in IAM",)),
    Situation("point for nobody known", (), q("eve"), NEW_Q[:1], ("user eve",), ("nobody is in its who",)),
    Situation("point for a group", (), q("group:staff"), NEW_Q),
    Situation("point for a group without members", (), q("group:empty"), NEW_Q[:1], (), ("nobody is in its who",)),
    Situation("point for an unknown group", (), q("ada", "group:x"), NEW_Q, ("group x in its who",)),
    Situation("point for a role", a_role("x", "ada"), q("role:x"), (*NEW_Q, "none aws_role x")),
    Situation("point for an unknown role", (), q("ada", "role:x"), NEW_Q, ("role:x in its who is no role",)),
    Situation("point for a role of the push", (), (q("ID:r"), r("ada")), (*NEW_R, *NEW_Q)),
    Situation("point for a role that goes", a_role("r", "ada"), (q("ada", "ID:r"), r(external_id="role:r",
              delete=True)),
              ("delete role r", *NEW_Q), ("ID:r in its who is no role and no permission set",)),
    Situation("point for a permission set of the push", (), (q("ID:s"), s("ann")), (*NEW_S, *NEW_Q)),
    Situation("point for a permission set by name", (*reserved("S"), *a_set("S", "USER u-ann")), q("ssorole:S"),
              (*NEW_Q, "none aws_sso_role S")),
    Situation("point for a permission set by its role", reserved("S"),
              q("ssorole:AWSReservedSSO_S_0123456789abcdef"), NEW_Q),
    Situation("point for a longer name of a permission set", reserved("S_A"), q("ada", "ssorole:S"), NEW_Q,
              ("the permission set has no role in the account",)),
    Situation("point for a policy", (), q("ada", "policy:x"), NEW_Q, ("policy:x in its who",)),
    Situation("point for a recipient", (), q("ada", "mail:x@y"), NEW_Q, (), (BY_MAIL,)),
]  # fmt: skip


# -- what --------------------------------------------------------------------------------------------------------------


def whats() -> list[Situation]:
    """Every what on each type that writes documents of IAM, alike; their words are those of the what."""
    folder = ("s3:GetObject data/a/*",)
    table = [
        # name, what, what is given, errors, warnings
        ("a bucket", (on("data", kind="bucket"),), ("s3:GetObject data/*",), (), ()),
        ("a bucket and its listing", (on("data", "s3:GetObject", "s3:ListBucket", kind="bucket"),),
         ("s3:GetObject data/*", "s3:ListBucket data"), (), ()),
        ("a folder", (on("data/a"),), folder, (), ()),
        ("the listing of a folder", (on("data/a", "s3:ListBucket"),), ("s3:ListBucket data a/*",), (), ()),
        ("a file", (on("data/a/f", kind="file"),), ("s3:GetObject data/a/f",), (), ()),
        ("the listing of a file beside it", (on("data/a/f", "s3:GetObject", "s3:ListBucket", kind="file"),),
         ("s3:GetObject data/a/f",), (), ("s3:ListBucket cannot be granted on",)),
        ("a file beside a folder of its name", (on("data:file/a", kind="file"),), ("s3:GetObject data/a",), (), ()),
        ("a table", (on("data/a", kind="glue-table"),), folder, (), ()),
        ("a table beside another", (on("data:db.t/a", kind="glue-table"),), folder, (), ()),
        ("a column beside a folder", (*A_AND, on("data/a/c", kind="column")), folder, ("is a column",), ()),
        ("the account", (WHOLE,), ("s3:GetObject *",), (), ()),
        ("an unknown bucket beside a folder", (*A_AND, on("nowhere/a")), folder, ("bucket nowhere is not among",), ()),
        ("another account beside a folder", (*A_AND, on("data/a", account=OTHER)), folder, ("is not of account",), ()),
        ("another region beside a folder", (*A_AND, on("data/b", region=THERE)), folder, ("lies in eu-west-1",), ()),
        ("a wildcard beside a folder", (*A_AND, on("dat*/b")), folder, ("wildcards are not expanded",), ()),
        ("no full name beside a folder", (*A_AND, on("data/a", account="")), folder, ("is not in the account",), ()),
        ("a path with a wildcard", (on("data/a*b?$"),), ("s3:GetObject data/a${*}b${?}${$}/*",), (), ()),
        ("a path in another script", (on("data/报告"),), ("s3:GetObject data/报告/*",), (), ()),
        ("an unknown permission", (on("data/a", "s3:Fly", "s3:GetObject"),), folder, ("permission s3:Fly",), ()),
        ("a right of a bucket on a folder", (on("data/a", "s3:GetBucketAcl", "s3:GetObject"),), folder, (),
         ("s3:GetBucketAcl cannot be granted",)),
        ("a folder twice", (on("data/a"), on("data/a", "s3:PutObject")),
         ("s3:GetObject data/a/*", "s3:PutObject data/a/*"), (), ()),
        ("a folder in a folder", (on("data/a"), on("data/a/b")), ("s3:GetObject data/a/*", "s3:GetObject data/a/b/*"),
         (), ()),
        ("two buckets", (on("data/a"), on("far/b", region=THERE)), ("s3:GetObject data/a/*", "s3:GetObject far/b/*"),
         (), ()),
    ]  # fmt: skip
    found = []
    for name, what, given, errors, warnings in table:
        for kind, control, steps in (("role", r("ada"), NEW_R), ("policy", p("ada"), NEW_P), ("set", s("ann"), NEW_S)):
            export = replace(control, what=what)
            found.append(Situation(f"{kind} on {name}", (), export, steps, errors, warnings, given))
    return found


A_AND = (on("data/a"),)
AT = "pt1/object"
NOTHING_LEFT = "nothing of its what can be granted"

WHAT = [
    *whats(),
    Situation("role on nothing", (), r("ada", what=()), NEW_R[:1], gives=()),
    Situation("policy on nothing", (), p("ada", what=()), NEW_P, (), ("gives access to nothing",), ("none:null *",)),
    Situation("set on nothing", (), s("ann", what=()), (NEW_S[0], NEW_S[2]), gives=()),
    Situation("role on an unknown bucket alone", (), r("ada", what=(on("nowhere/a"),)), ("refuse aws_role r",),
              ("bucket nowhere", NOTHING_LEFT)),
    Situation("policy on an unknown bucket alone", (), p("ada", what=(on("nowhere/a"),)), ("refuse aws_policy p",),
              ("bucket nowhere", NOTHING_LEFT)),
    Situation("set on an unknown bucket alone", (), s("ann", what=(on("nowhere/a"),)), ("refuse aws_sso_role s",),
              ("bucket nowhere", NOTHING_LEFT)),
    Situation("existing policy on an unknown bucket alone", a_policy("p", "user:ada"),
              p("ada", external_id="policy:p", what=(on("nowhere/a"),)), ("create policy-version p",),
              ("bucket nowhere",), ("gives access to nothing",), ("none:null *",)),
    Situation("point on a bucket", (), q("ada", what=(on("data", kind="bucket"),)), NEW_Q,
              gives=(f"s3:GetObject {AT}/*",)),
    Situation("point on a bucket and its listing", (), q("ada", what=(on("data", "s3:ListBucket", kind="bucket"),)),
              NEW_Q,
              gives=("s3:ListBucket pt1",)),
    Situation("point on a folder", (), q("ada"), NEW_Q, gives=(f"s3:GetObject {AT}/a/*",)),
    Situation("point on the listing of a folder", (), q("ada", what=(on("data/a", "s3:ListBucket"),)), NEW_Q,
              gives=("s3:ListBucket pt1 a/*",)),
    Situation("point on a file", (), q("ada", what=(on("data/a/f", kind="file"),)), NEW_Q,
              gives=(f"s3:GetObject {AT}/a/f",)),
    Situation("point on a table", (), q("ada", what=(on("data/a", kind="glue-table"),)), NEW_Q,
              gives=(f"s3:GetObject {AT}/a/*",)),
    Situation("point on a column", (), q("ada", what=(on("data/a/c", kind="column"),)),
              ("refuse aws_access_point pt1",),
              ("is a column",)),
    Situation("point on the account", (), q("ada", what=(WHOLE,)), ("refuse aws_access_point pt1",),
              ("names no bucket",)),
    Situation("point on nothing", (), q("ada", what=()), ("refuse aws_access_point pt1",), ("names no bucket",)),
    Situation("point on two buckets", (), q("ada", what=(on("data/a"), on("far/a", region=THERE))),
              ("refuse aws_access_point pt1",), ("its what is in 2: data, far",)),
    Situation("point on another region", (), q("ada", what=(on("far/a", region=THERE),)), NEW_Q,
              gives=(f"s3:GetObject {AT}/a/*",)),
    Situation("point on an unknown bucket", (), q("ada", what=(on("nowhere/a"),)), ("refuse aws_access_point pt1",),
              ("bucket nowhere", NOTHING_LEFT)),
    Situation("point on what access points do not know", (), q("ada", what=(on("data", "s3:GetBucketLocation"),)),
              ("refuse aws_access_point pt1",), ("access points do not know it",), ("access points do not know it",)),
    Situation("point on a path in another script", (), q("ada", what=(on("data/报告"),)), NEW_Q,
              gives=(f"s3:GetObject {AT}/报告/*",)),
    Situation("point on a bucket that does not delegate", (), q("ada"), NEW_Q, (), ("does not delegate",),
              delegates=False),
    Situation("point on a bucket that may be changed", (), q("ada"), (*NEW_Q, "update bucket-policy data"),
              options=PushOptions(aws_access_point_delegation=True), delegates=False),
]  # fmt: skip


# -- changes -----------------------------------------------------------------------------------------------------------

OWN_R, OWN_P, OWN_S = "role:r", "policy:p", "ssorole:s"
OWN_Q = f"accesspoint:{point_arn('pt1')}"
AB = gives("data/a/*", "data/b/*")
WHAT_AB = (on("data/a"), on("data/b"))
PROVISION = "provision permission-set-in-account s"
RENAMED = "permission sets cannot be renamed: it stays s"
ROLE_GOES = "nobody has permission set s in this account any more"
WHY_SAME = "upper and lower case do not tell names apart"


def named(control: AccessControl, external_id: str, **changes: Any) -> AccessControl:
    return replace(
        control, external_id=external_id, actual_name=external_id.rpartition(":")[2].rpartition("/")[2], **changes
    )


def ours(*names: str, **changes: Any) -> AccessControl:
    return named(r(*names), OWN_R, **changes)


def our_p(*names: str, **changes: Any) -> AccessControl:
    return named(p(*names), OWN_P, **changes)


def our_s(*names: str, **changes: Any) -> AccessControl:
    return named(s(*names), OWN_S, **changes)


def our_q(*names: str, **changes: Any) -> AccessControl:
    return named(q(*names), OWN_Q, **changes)


TRUST, DOCUMENT = "update role-trust r", f"update role-inline-policy {INLINE}"
VERSION, POINT_POLICY = "create policy-version p", "update access-point-policy pt1"

CHANGES = [
    Situation("role unchanged", a_role("r", "ada"), ours("ada"), ("none role r",)),
    Situation("role for one more", a_role("r", "ada"), ours("ada", "bob"), (TRUST,)),
    Situation("role for one less", a_role("r", "ada", "bob"), ours("ada"), (TRUST,)),
    Situation("role for another", a_role("r", "ada"), ours("bob"), (TRUST, TRUST)),
    Situation("role for nobody any more", a_role("r", "ada"), ours(), (TRUST,), (), (NO_ONE,)),
    Situation("role for nobody as before", a_role("r"), ours(), ("none role r",), (), (NO_ONE,)),
    Situation("role for a user who is gone", a_role("r", "ada", "gone"), ours("ada"), (TRUST,)),
    Situation("role on less", a_role("r", "ada", inline=AB), ours("ada"), (DOCUMENT,)),
    Situation("role on more", a_role("r", "ada"), ours("ada", what=WHAT_AB), (DOCUMENT,)),
    Situation("role on nothing any more", a_role("r", "ada"), ours("ada", what=()),
              (f"delete role-inline-policy {INLINE}",)),
    Situation("role whose inline policy somebody deleted", a_role("r", "ada", inline=None), ours("ada"),
              (f"create role-inline-policy {INLINE}",)),
    Situation("role with a new name", a_role("r", "ada"), ours("ada", naming_hint="new"), ("none role r",), (),
              ("roles cannot be renamed: it stays r",)),
    Situation("role with a new description", a_role("r", "ada"), ours("ada", description="new"), ("none role r",)),
    Situation("role deleted", a_role("r", "ada"), ours(delete=True), ("delete role r",)),
    Situation("role deleted and gone", (), ours(delete=True), ("none role r",)),
    Situation("role deleted that never was", (), r(delete=True), ("none role r",)),
    Situation("role gone", (), ours("ada"), NEW_R, (), ("was gone from AWS, and is made anew",)),
    Situation("role whose name others have", a_role("r", "ada", tags=()), r("ada"), ("refuse aws_role r",),
              ("was not made by Raito",)),
    Situation("role whose name others have in capitals", a_role("R", "ada", tags=()), r("ada"), ("refuse aws_role r",),
              (WHY_SAME,)),
    Situation("role that a broken push made", a_role("r", "ada"), r("ada"), ("none role r",)),
    Situation("role of another access control", a_role("r", "ada", tags=(RAITO, Tag("raito_access_control", "x"),
              Tag("raito_data_source", "ds"))), ours("ada"), ("refuse aws_role r",), ("role:r belongs to",),
              source="ds"),
    Situation("role of two access controls", a_role("r", "ada"), (ours("ada"), replace(ours("bob"), id="r2")),
              ("refuse aws_role r", "refuse aws_role r"), ("of the export names role:r too", "names role:r too")),
    Situation("role with a locked who", a_role("r", "bob"), ours("ada", who_locked=True, what=WHAT_AB), (DOCUMENT,),
              (), ("its who is locked, and stays as AWS has it. Not made: gives user ada",)),
    Situation("role with a locked what", a_role("r", "bob"), ours("ada", what_locked=True, what=WHAT_AB), (TRUST,
              TRUST), (), ("its what is locked, and stays as AWS has it. Not made: gives s3:GetObject on data/b/*",)),
    Situation("role with locked inheritance", a_role("r", "ada"), ours("ada", "role:x", inheritance_locked=True),
              ("none role r",)),
    Situation("role with a locked deletion", a_role("r", "ada"), ours(delete=True, delete_locked=True),
              ("refuse aws_role r",), ("deletion is locked",)),
    Situation("policy unchanged", a_policy("p", "user:ada"), our_p("ada"), ("none policy p",)),
    Situation("policy for one more", a_policy("p", "user:ada"), our_p("ada", "bob"), ("attach attachment user:bob",)),
    Situation("policy for one less", a_policy("p", "user:ada", "user:bob"), our_p("ada"),
              ("detach attachment user:bob",)),
    Situation("policy for another", a_policy("p", "user:ada"), our_p("bob"),
              ("detach attachment user:ada", "attach attachment user:bob")),
    Situation("policy for a group in place of its members", a_policy("p", "user:bob", "user:cyd"), our_p("group:staff"),
              ("detach attachment user:bob", "detach attachment user:cyd", "attach attachment group:staff")),
    Situation("policy for nobody any more", a_policy("p", "user:ada", "group:staff"), our_p(),
              ("detach attachment group:staff", "detach attachment user:ada")),
    Situation("policy on less", a_policy("p", "user:ada", text=AB), our_p("ada"), (VERSION,)),
    Situation("policy on more", a_policy("p", "user:ada"), our_p("ada", what=WHAT_AB), (VERSION,)),
    Situation("policy on nothing any more", a_policy("p", "user:ada"), our_p("ada", what=()), (VERSION,), (),
              ("gives access to nothing",), ("none:null *",)),
    Situation("policy with a new name", a_policy("p", "user:ada"), our_p("ada", naming_hint="new"),
              ("create policy new", "attach attachment user:ada", "delete policy p")),
    Situation("policy with a new name and less people", a_policy("p", "user:ada", "user:bob"), our_p("ada",
              naming_hint="n"),
              ("detach attachment user:bob", "create policy n", "attach attachment user:ada", "delete policy p")),
    Situation("policy with a new name that others have", (*a_policy("p", "user:ada"), *a_policy("n", tags=())),
              our_p("ada", naming_hint="n"), ("none policy p",), ("policy n exists in AWS and is not its own",)),
    Situation("policy with a new name that cannot be deleted", a_policy("p", "user:ada"),
              our_p("ada", naming_hint="new", delete_locked=True), ("none policy p",), (),
              ("its deletion is locked, and a policy gets another name by being made anew: it stays p",)),
    Situation("policy of others with a new name", a_policy("p", "user:ada", tags=()),
              our_p("ada", naming_hint="new", what_locked=True), ("none policy p",), (),
              ("did not make is not renamed: it stays p",)),
    Situation("policy deleted", a_policy("p", "user:ada"), our_p(delete=True),
              ("detach attachment user:ada", "delete policy p")),
    Situation("policy deleted that a permission set has", (*a_policy("p"), *a_set("s", "USER u-ann",
              references=("/p",))),
              our_p(delete=True),
              ("detach permission-set-reference s", PROVISION, "delete policy p", "none aws_sso_role s")),
    Situation("policy deleted and gone", (), our_p(delete=True), ("none policy p",)),
    Situation("policy gone", (), our_p("ada"), NEW_P, (), ("was gone from AWS, and is made anew",)),
    Situation("policy whose name others have", a_policy("p", tags=()), p("ada"), ("refuse aws_policy p",),
              ("was not made by Raito",)),
    Situation("policy whose name others have in capitals", a_policy("P", tags=()), p("ada"), ("refuse aws_policy p",),
              (WHY_SAME,)),
    Situation("policy that a broken push made", a_policy("p"), p("ada"), ("attach attachment user:ada",)),
    Situation("policy of two access controls", a_policy("p"), (our_p("ada"), replace(our_p("bob"), id="p2")),
              ("refuse aws_policy p", "refuse aws_policy p"), ("names policy:p too", "names policy:p too")),
    Situation("policy that a role takes the name of", a_policy("r"), (named(p("ada", naming_hint="r"), "policy:r"),
              r("ada")),
              (*NEW_R, "attach attachment user:ada")),
    Situation("policy that became a role", a_policy("r", "user:ada"), named(r("ada"), "policy:r"),
              (*NEW_R, "delete policy r")),
    Situation("policy that became a role for one of two", a_policy("r", "user:ada", "user:bob"),
              named(r("ada"), "policy:r"), ("detach attachment user:bob", *NEW_R, "delete policy r")),
    Situation("role that became a policy", a_role("p", "ada"), named(p("ada"), "role:p"), (*NEW_P, "delete role p")),
    Situation("role that became a permission set", a_role("s", "ada"), named(s("ann"), "role:s"),
              ("update role-trust s", *NEW_S, "delete role s")),
    Situation("role that became a permission set that cannot be, for one of two", a_role("s", "ada", "bob"),
              named(s("ada", description=""), "role:s"), ("update role-trust s",), ("needs a description",)),
    Situation("role that became a permission set that cannot be, for the same", a_role("s", "ada"),
              named(s("ada", description=""), "role:s"), ("refuse aws_sso_role s",), ("needs a description",)),
    Situation("permission set that became a role", a_set("r", "USER u-ann"), named(r("ada"), "ssorole:r"),
              ("delete assignment r/user:ann", *NEW_R, "delete permission-set r")),
    Situation("role that became a policy and cannot be deleted", a_role("p", "ada"),
              named(p("ada"), "role:p", delete_locked=True), ("refuse aws_policy p",), ("its deletion is locked",)),
    Situation("policy of no type", a_policy("p", "user:ada"), our_p("ada", type=None), ("none policy p",)),
    Situation("nothing of no type", (), r("ada", type=None), NEW_R),
    Situation("set unchanged", a_set("s", "USER u-ann"), our_s("ann"), ("none permission-set s",)),
    Situation("set for one more", a_set("s", "USER u-ann"), our_s("ann", "ben"), ("create assignment s/user:ben",)),
    Situation("set for one less", a_set("s", "USER u-ann", "USER u-ben"), our_s("ann"),
              ("delete assignment s/user:ben",)),
    Situation("set for another", a_set("s", "USER u-ann"), our_s("ben"),
              ("create assignment s/user:ben", "delete assignment s/user:ann")),
    Situation("set for nobody any more", a_set("s", "USER u-ann"), our_s(), ("delete assignment s/user:ann",), (),
              (ROLE_GOES,)),
    Situation("set for nobody any more but a dummy", a_set("s", "USER u-ann"), our_s(),
              ("create assignment s/user:ben", "delete assignment s/user:ann"),
              options=PushOptions(aws_permissionset_dummy_user="ben")),
    Situation("set for one who is gone from the store", a_set("s", "USER u-ann", "USER u-gone"), our_s("ann"),
              ("delete assignment s/user:u-gone",)),
    Situation("set for one of two groups who has it", a_set("s", "USER u-ann", "GROUP g-twin-1"),
              our_s("ann", "group:twins"), ("none permission-set s",), ("2 groups",)),
    Situation("set on less", a_set("s", "USER u-ann", inline=AB), our_s("ann"), ("update permission-set-policy s",
              PROVISION)),
    Situation("set on more", a_set("s", "USER u-ann"), our_s("ann", what=WHAT_AB),
              ("update permission-set-policy s", PROVISION)),
    Situation("set on more that nobody has", a_set("s"), our_s(what=WHAT_AB), ("update permission-set-policy s",)),
    Situation("set that references a policy that is gone",
              (*a_set("s", "USER u-ann", inline="", references=("/gone",)), *reserved("s")),
              our_s("ann", what=()), ("none permission-set s",), (), ("it references /gone, which the account lacks",)),
    Situation("set whose policy its role lacks", (*a_set("s", "USER u-ann", inline="", references=("/x",)),
              *reserved("s"), *a_policy("x")), our_s("ann", what=()), (PROVISION, "none aws_policy x")),
    Situation("point for one and a set that nobody has", (*a_set("s"), *a_point("pt1", "ada")),
              (our_q("ada", "ssorole:s"), our_s()), ("none permission-set s", "none access-point pt1"),
              ("no role in the account",)),
    Situation("point for a set that everybody loses", (*a_set("s", "USER u-ann", inline=""), *reserved("s"),
              *a_point("pt1", "ada", reserved("s")[0].arn)), (our_q("ada", "ssorole:s"), our_s(what=())),
              (POINT_POLICY, "delete assignment s/user:ann"), ("nobody has it in this account any more",),
              ("so AWS removes its role there",)),
    Situation("new point for a set that everybody loses", (*a_set("s", "USER u-ann", inline=""), *reserved("s")),
              (q("ada", "ssorole:s"), our_s(what=())), ("delete assignment s/user:ann", *NEW_Q),
              ("nobody has it in this account any more",), ("so AWS removes its role there",)),
    Situation("point for a set that a dummy keeps", (*a_set("s", "USER u-ann", inline=""), *reserved("s"),
              *a_point("pt1", "ada", reserved("s")[0].arn)), (our_q("ada", "ssorole:s"), our_s(what=())),
              ("create assignment s/user:ben", "delete assignment s/user:ann", "none access-point pt1"),
              options=PushOptions(aws_permissionset_dummy_user="ben")),
    Situation("set on nothing any more", a_set("s", "USER u-ann"), our_s("ann", what=()),
              ("delete permission-set-policy s", PROVISION)),
    Situation("set with a new description", a_set("s", "USER u-ann"), our_s("ann", description="new"),
              ("update permission-set s",)),
    Situation("set without a description", a_set("s", "USER u-ann"), our_s("ann", description=" "),
              ("none permission-set s",), ("needs a description",)),
    Situation("new set without a description", (), s("ann", description=""), ("refuse aws_sso_role s",),
              ("needs a description",)),
    Situation("set with a new name", a_set("s", "USER u-ann"), our_s("ann", naming_hint="new"),
              ("none permission-set s",),
              (), (RENAMED,)),
    Situation("set without the tag of its account", a_set("s", "USER u-ann", tags=(RAITO,)), our_s("ann"),
              ("tag permission-set s",)),
    Situation("set deleted", a_set("s", "USER u-ann"), our_s(delete=True),
              ("delete assignment s/user:ann", "delete permission-set s")),
    Situation("set deleted that another account uses", a_set("s", "USER u-ann", account_ids=(ACCOUNT, OTHER)),
              our_s(delete=True), ("delete assignment s/user:ann",), (), (f"is in use in {OTHER}",)),
    Situation("set deleted and gone", (), our_s(delete=True), ("none permission-set s",)),
    Situation("set gone", (), our_s("ann"), NEW_S, (), ("was gone from AWS",)),
    Situation("set whose name others have", a_set("s", tags=()), s("ann"), ("refuse aws_sso_role s",),
              ("was not made by Raito",)),
    Situation("set of another account", a_set("s", tags=(RAITO, Tag("raito_account", OTHER))), s("ann"),
              ("refuse aws_sso_role s",), (f"is that of account {OTHER}",)),
    Situation("imported set for another", a_set("Admin", "USER u-ann", tags=()),
              named(s("ben"), "ssorole:AWSReservedSSO_Admin_0123456789abcdef", naming_hint="Admin"),
              ("create assignment Admin/user:ben", "delete assignment Admin/user:ann"), (),
              ("only who has it is edited",)),
    Situation("imported set deleted", a_set("Admin", tags=()),
              named(s(), "ssorole:AWSReservedSSO_Admin_0123456789abcdef", delete=True),
              ("refuse aws_sso_role AWSReservedSSO_Admin_0123456789abcdef",), ("only its who can be edited",)),
    Situation("set in a shared organization", (), s("ann"), NEW_S, (), ("several accounts share",), shared=True),
    Situation("set in a shared organization with its account", (), s("ann"),
              tuple(step.replace(" s", f" s_{ACCOUNT}", 1) for step in NEW_S),
              options=PushOptions(aws_sso_role_suffix="_#account#"), shared=True),
    Situation("set with a locked who", a_set("s", "USER u-ann"), our_s("ben", who_locked=True, what=WHAT_AB),
              ("update permission-set-policy s", PROVISION), (),
              ("its who is locked, and stays as AWS has it. Not made: user ben gets it; user ann loses it",)),
    Situation("set with a locked what", a_set("s", "USER u-ann"), our_s("ann", "ben", what_locked=True, what=WHAT_AB),
              ("create assignment s/user:ben",), (),
              ("its what is locked, and stays as AWS has it. Not made: gives s3:GetObject on data/b/*",)),
    Situation("set with a locked deletion", a_set("s"), our_s(delete=True, delete_locked=True),
              ("refuse aws_sso_role s",),
              ("deletion is locked",)),
    Situation("set without an organization", (), s("ann"), ("refuse aws_sso_role s",), ("links no organization",),
              center=False),
    Situation("point unchanged", a_point("pt1", "ada"), our_q("ada"), ("none access-point pt1",)),
    Situation("point for one more", a_point("pt1", "ada"), our_q("ada", "bob"), (POINT_POLICY,)),
    Situation("point for one less", a_point("pt1", "ada", "bob"), our_q("ada"), (POINT_POLICY,)),
    Situation("point for nobody any more", a_point("pt1", "ada"), our_q(), ("delete access-point-policy pt1",), (),
              ("nobody is in its who",)),
    Situation("point on less", a_point("pt1", "ada", paths=("a/*", "b/*")), our_q("ada"), (POINT_POLICY,)),
    Situation("point on more", a_point("pt1", "ada"), our_q("ada", what=WHAT_AB), (POINT_POLICY,)),
    Situation("point on nothing any more", a_point("pt1", "ada"), our_q("ada", what=()),
              ("delete access-point-policy pt1",),
              (), ("nothing of its what",)),
    Situation("point on another bucket", a_point("pt1", "ada"), our_q("ada", what=(on("far/a", region=THERE),)),
              ("delete access-point-policy pt1",), ("opens for ever",), ("nothing of its what",)),
    Situation("point with a new name", a_point("pt1", "ada"), our_q("ada", naming_hint="new"),
              ("none access-point pt1",), (), ("access points cannot be renamed: it stays pt1",)),
    Situation("point deleted", a_point("pt1", "ada"), our_q(delete=True), ("delete access-point pt1",)),
    Situation("point deleted and gone", (), our_q(delete=True), ("none access-point pt1",)),
    Situation("point gone", (), our_q("ada"), NEW_Q, (), ("was gone from AWS",)),
    Situation("point whose name others have", a_point("pt1", "bob", tags=()), q("ada"),
              ("refuse aws_access_point pt1",),
              ("was not made by Raito",)),
    Situation("point whose name another access control has",
              a_point("pt1", "bob", tags=(RAITO, Tag("raito_access_control", "z"))), q("ada"),
              ("refuse aws_access_point pt1",), ("belongs to access control z",)),
    Situation("point whose name has another bucket", a_point("pt1", "bob", bucket="other"), q("ada"),
              ("refuse aws_access_point pt1",), ("opens bucket other",)),
    Situation("point that a broken push made", a_point("pt1"), q("ada"), ("create access-point-policy pt1",)),
    Situation("point with a locked who", a_point("pt1", "bob"), our_q("ada", who_locked=True, what=WHAT_AB),
              (POINT_POLICY,), (), ("its who is locked, and stays as AWS has it. Not made: gives user ada",),
              gives=(f"s3:GetObject {AT}/a/*", f"s3:GetObject {AT}/b/*")),
    Situation("point with a locked what", a_point("pt1", "bob"), our_q("ada", what_locked=True, what=WHAT_AB),
              (POINT_POLICY,), (), ("its what is locked, and stays as AWS has it. Not made: gives user ada",),
              gives=(f"s3:GetObject {AT}/a/*",)),
    Situation("policy with bad elements in locked parts", a_policy("p", "user:ada", "role:x"),
              our_p("eve", "group:x", "role:y", "ID:z", who_locked=True, inheritance_locked=True), ("none policy p",),
              (), ("its who is locked, and stays as AWS has it. Not made: user ada loses it",
               "its inheritance is locked, and stays as AWS has it. Not made: role x loses it")),
    Situation("set with bad elements in locked parts", a_set("s", "USER u-ann"),
              our_s("eve", "role:y", who_locked=True, inheritance_locked=True), ("none permission-set s",), (),
              ("Not made: user ann loses it",)),
    Situation("role with bad elements in locked parts", a_role("r", "ada"),
              ours("eve", "role:y", who_locked=True, inheritance_locked=True), ("none role r",),
              (), ("its who is locked, and stays as AWS has it. Not made: denies everybody sts:AssumeRole; takes",)),
    Situation("point with bad elements in locked parts", a_point("pt1", "ada"),
              our_q("eve", "group:x", "role:y", who_locked=True, inheritance_locked=True), ("none access-point pt1",),
              (), ("Not made: takes user ada s3:GetObject",)),
    Situation("point with a locked deletion", a_point("pt1", "ada"), our_q(delete=True, delete_locked=True),
              ("refuse aws_access_point pt1",), ("deletion is locked",)),
]  # fmt: skip


# -- names, limits, and what is malformed ------------------------------------------------------------------------------

CROWD = tuple(user(f"somebody-with-a-long-name-{number:03}") for number in range(70))
FEW = tuple(each.user_name for each in CROWD[:40])
ALL = tuple(each.user_name for each in CROWD)
LONG = tuple(on(f"data/{'x' * 200}{number:03}") for number in range(60))
FULL = tuple(part for number in range(10) for part in a_policy(f"full-{number}", "user:ada", tags=()))
REPLACED = "characters of its description that AWS does not take were replaced"

LIMITS = [
    Situation("role with a long name", (), r("ada", name="n" * 80),
              (f"create role {'n' * 58}", f"create role-inline-policy {'n' * 58}/Raito_Inline_{'n' * 58}")),
    Situation("role with a long prefix", (), r("ada"), ("refuse aws_role r",), ("AWS takes 64",),
              options=PushOptions(aws_role_prefix="p" * 64)),
    Situation("role in another script", (), r("ada", name="报告"),
              ("create role x1e8ddd10", "create role-inline-policy x1e8ddd10/Raito_Inline_x1e8ddd10")),
    Situation("policy without a letter", (), p("ada", name="***"), ("refuse aws_policy ***",), ("no letter or digit",)),
    Situation("two roles of one name", (), (r("ada"), replace(r("bob"), id="r2")),
              (*NEW_R, "create role r__0", "create role-inline-policy r__0/Raito_Inline_r__0")),
    Situation("two policies whose names differ in case", (), (p("ada"), replace(p(name="P"), id="p2")),
              (*NEW_P, "create policy P__0")),
    Situation("set with a long name", (), s("ann", name="Marketing analysts"),
              tuple(step.replace(" s", " Marketing_ana", 1) for step in NEW_S)),
    Situation("set with a long suffix", (), s("ann"), ("refuse aws_sso_role s",), ("AWS takes 32",),
              options=PushOptions(aws_sso_role_suffix="x" * 32)),
    Situation("point with capitals", (), q("ada", name="MyData"),
              tuple(step.replace("pt1", "my-data") for step in NEW_Q)),
    Situation("point with a short name", (), q("ada", name="ab"), ("refuse aws_access_point ab",), ("at least 3",)),
    Situation("point with a reserved ending", (), q("ada", name="x-s3alias"), ("refuse aws_access_point x-s3alias",),
              ("keeps for itself",)),
    Situation("role with a description of quotes", (), r("ada", description="“a” – b"), NEW_R, (), (REPLACED,)),
    Situation("set with a description of quotes", (), s("ann", description="“a” – b"), NEW_S, (), (REPLACED,)),
    Situation("set with a long description", (), s("ann", description="d" * 800), NEW_S, (), ("AWS takes 700",)),
    Situation("policy with a long description", (), p("ada", description="d" * 1_100), NEW_P, (), ("AWS takes 1000",)),
    Situation("role for many", CROWD, r(*FEW), NEW_R, (), ("AWS takes 2048 unless",)),
    Situation("role for too many", CROWD, r(*ALL, *"abc"), ("refuse aws_role r",),
              ("user a is", "user b is", "user c is", "AWS takes 4096: use groups")),
    Situation("existing role for too many", (*CROWD, *a_role("r", "ada", "bob")), ours("ada", *ALL), (TRUST,),
              ("nobody is added",)),
    Situation("role on too much", (), r("ada", what=LONG), NEW_R[:1], ("a role has room for 10240",)),
    Situation("role on less, and on too much", a_role("r", "ada", inline=AB), ours("ada", what=(on("data/a"), *LONG)),
              (DOCUMENT,), ("nothing is added",), gives=("s3:GetObject data/a/*",)),
    Situation("role on much", (), r("ada", what=LONG),
              (*NEW_R, "create policy Raito_Inline_r_2", "attach attachment role:r"), (),
              ("the rest is in Raito_Inline_r_2",), source="ds"),
    Situation("policy on too much", (), p("ada", what=LONG), ("refuse aws_policy p",), ("AWS takes 6144",)),
    Situation("policy on much", (), p("ada", what=LONG[:40]),
              (*NEW_P, "create policy p_2", "attach attachment user:ada"), (),
              ("the rest is in p_2",), source="ds"),
    Situation("set on too much", (), s("ann", what=LONG), ("refuse aws_sso_role s",), ("has room for 10240",)),
    Situation("existing set on too much for one less", a_set("s", "USER u-ann", "USER u-ben", inline=AB),
              our_s("ann", what=(on("data/a"), *LONG)),
              ("update permission-set-policy s", PROVISION, "delete assignment s/user:ben"),
              ("has room for 10240: what was taken away goes, and nothing is added",),
              gives=("s3:GetObject data/a/*",)),
    Situation("existing set on other things, and too many", a_set("s", "USER u-ann"), our_s("ann", what=LONG),
              ("update permission-set-policy s", PROVISION), ("has room for 10240",), gives=("none:null *",)),
    Situation("point on too much", (), q("ada", what=tuple(on(f"data/{'x' * 400}{n}") for n in range(60))),
              ("refuse aws_access_point pt1",), ("AWS takes 20480",)),
    Situation("policy for one who has ten", FULL, p("ada"), NEW_P, (), ("comes to have 11 managed policies",)),
    Situation("role that is not granted", (), r("ada", action="mask"), ("refuse aws_role r",), ("only 'grant'",)),
    Situation("policy that is denied", (), p("ada", action="deny"), ("refuse aws_policy p",), ("only 'grant'",)),
    Situation("set that is filtered", (), s("ann", action="filtered"), ("refuse aws_sso_role s",), ("only 'grant'",)),
    Situation("point that is denied", (), q("ada", action="deny"), ("refuse aws_access_point pt1",), ("only 'grant'",)),
    Situation("role that cannot be read beside one that can", (), (r("ada", unreadable=("who: a text",)), p("ada")),
              ("refuse aws_role r", *NEW_P), ("it cannot be read: who: a text",)),
    Situation("set that cannot be read", (), s("ann", unreadable=("what",)), ("refuse aws_sso_role s",),
              ("cannot be read",)),
    Situation("a type that does not exist", (), r("ada", type="aws_magic"), ("refuse aws_magic r",), ("aws_magic",)),
    Situation("an external id of another kind", (), named(q("ada"), "accesspoint:nonsense"),
              ("refuse aws_access_point nonsense",), ("no access point of account",)),
    Situation("an access point of another account", (), named(q("ada"),
              f"accesspoint:{point_arn('pt1').replace(ACCOUNT, OTHER)}"),
              ("refuse aws_access_point pt1",), ("no access point of account",)),
]  # fmt: skip

SITUATIONS = [*WHO, *WHAT, *CHANGES, *LIMITS]


@pytest.mark.parametrize("situation", SITUATIONS, ids=str)
def test_a_push_plans_and_says_what_the_table_has(situation: Situation) -> None:
    plan = situation.plan()

    steps = tuple(f"{row.operation} {row.kind} {short(row.resource)}" for row in plan.changes)
    errors = [error for target in plan.targets for error in target.errors]
    warnings = [warning for target in plan.targets for warning in target.warnings]
    assert steps == situation.steps, (errors, warnings)
    assert_told(situation.errors, errors)
    assert_told(situation.warnings, warnings)
    if situation.gives is not None:
        assert allowed(plan) == situation.gives


def short(resource: str) -> str:
    """The name in an ARN."""
    return resource.rpartition(":" if ":::" in resource else "/")[2] if resource.startswith("arn:") else resource


def assert_told(parts: tuple[str, ...], texts: list[str]) -> None:
    """Each text has its part, and there is none beside."""
    assert len(parts) == len(texts), texts
    assert all(part in text for part, text in zip(parts, texts, strict=True)), texts


def test_the_table_has_each_name_once_and_two_hundred_rows() -> None:
    names = [situation.name for situation in SITUATIONS]
    assert len(names) == len(set(names)) >= 200
