"""What an earlier push made for an access control, and Raito Cloud was not told of: it was killed, or not heard.

The export then does not name it. Its tags say of which access control it is, so that it is its own as if Raito Cloud
had been told: it keeps it, or loses it where it is deleted, or has another name or type by now.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.draft import Draft
from raito_pipeline.aws.push.owners.orphans import made_by_pushes
from raito_pipeline.aws.push.owners.own_objects import existing, object_key
from raito_pipeline.aws.push.owners.owner_tags import owner_of, owner_tags
from raito_pipeline.aws.push.pushed_types import PushedType, PushedTypes
from raito_pipeline.aws.push.rules.bounds import Bounds
from raito_pipeline.aws.push.types.splitting import further_names
from raito_pipeline.model import EMPTY_WHO, AccessControl


@dataclass(frozen=True)
class Unreported:
    """What the account has of each access control of an export, by what its tags say."""

    types: PushedTypes
    state: PushState
    made: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)
    """type and external id of what was made for each access control, by its id"""

    @classmethod
    def of(
        cls, controls: Iterable[AccessControl], types: PushedTypes, state: PushState, bounds: Bounds
    ) -> "Unreported":
        """Nothing where no tags say for whom something was made, or where they fit two access controls."""
        ids = {control.id: tuple(tag.value for tag in owner_tags(bounds.data_source, control)) for control in controls}
        named = Counter(ids.values())
        whose = {owner: control for control, owner in ids.items() if owner and named[owner] == 1}
        made: dict[str, list[tuple[str, str]]] = {}
        for kind, external_id, there in made_by_pushes(types.prefixes, state):
            source, control = owner_of(there.tags)
            if source and control and (source, control) in whose:
                made.setdefault(whose[source, control], []).append((kind, external_id))
        return cls(types, state, made)

    def as_reported(self, control: AccessControl) -> AccessControl:
        """The access control with what was made for it, where the export names nothing of it that is there."""
        if control.external_id is not None and not self._is_gone(control.external_id):
            return control
        made = self.made.get(control.id, ())
        ids = [external_id for _, external_id in made]
        further = further_names([*ids, control.external_id or ""], ids)  # they are found by the first one
        main = [each for each in made if each[1] not in further]
        of_its_type = [each for each in main if each[0] == control.type]
        chosen = of_its_type or main
        if not chosen:
            return control
        kind, external_id = chosen[0]
        return replace(control, external_id=external_id, actual_name=self._name(kind, external_id))

    def deletions(self, draft: Draft, others: Iterable[Draft]) -> Iterator[Draft]:
        """What else goes with an access control that is deleted, each as an access control of its own would.

        `others` are all drafts of the access control: what they are about goes by them.
        """
        if draft.refused or not draft.control.delete:
            return
        planned = {object_key(each.owned_id) for each in (draft, *others) if each.owned_id}
        for kind, external_id in self.made.get(draft.control.id, ()):
            if object_key(external_id) not in planned:
                name = self._name(kind, external_id)
                control = replace(
                    draft.control, type=kind, external_id=external_id, actual_name=name, naming_hint=name,
                    who=EMPTY_WHO, deleted_who=None, what=(), delete_what=(),
                )  # fmt: skip
                yield Draft(control, kind)

    def _is_gone(self, external_id: str) -> bool:
        """True for an object that the account lacks; an inline policy is no object of its own."""
        an_object = external_id.startswith(tuple(self.types.prefixes.values()))
        return an_object and existing(self.state, external_id) is None

    def _name(self, kind: str, external_id: str) -> str:
        pushed = self.types.of(kind)
        rest = external_id.removeprefix(self.types.prefixes[kind])
        return pushed.named(rest) if isinstance(pushed, PushedType) else rest
