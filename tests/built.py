"""Definitions of Dagster that tests share: what Dagster makes of a configuration takes as long as many a cell."""

from dataclasses import dataclass, field

import dagster as dg

from raito_pipeline.config import Options
from raito_pipeline.definitions import build_definitions
from raito_pipeline.orchestration.resources import Services


@dataclass
class Built:
    """The definitions of each configuration, built once, as the UI has them."""

    kept: list[tuple[Options, Services, dg.Definitions]] = field(default_factory=list)

    def definitions(self, services: Services) -> dg.Definitions:
        """Those of the configuration of these services, as a process has them that begins with these.

        What a process remembers is in its services: those of the process before are forgotten.
        """
        for options, kept, definitions in self.kept:
            if options == services.options:
                vars(kept).clear()
                vars(kept).update(vars(services))
                return definitions
        self.kept.append((services.options, services, build_definitions(services.options, services)))
        return self.kept[-1][2]
