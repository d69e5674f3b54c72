"""What ends a command in a line: the exit status, and what to do."""

from raito_pipeline.cli.errors import AlreadyRunning, CommandFailed, ExtraMissing, InstanceDamaged


def test_each_has_its_exit_status() -> None:
    assert [kind.status for kind in (CommandFailed, AlreadyRunning, ExtraMissing, InstanceDamaged)] == [1, 2, 2, 1]


def test_a_missing_extra_is_named_with_how_to_install_it() -> None:
    text = str(ExtraMissing("sandbox", "sandbox", "moto"))

    assert text.startswith("raito-pipeline sandbox needs the extra `sandbox`, of which moto is not installed")
    assert text.endswith("pip install 'raito-pipeline[sandbox]'")


def test_a_damaged_record_of_runs_says_what_is_lost() -> None:
    assert "runs.db (malformed). Move /home/d away" in str(InstanceDamaged("/home/d", ["runs.db"], "malformed"))
    assert "a database in /home/d" in str(InstanceDamaged("/home/d", [], "x"))
    assert "Only the history of runs is lost" in str(InstanceDamaged("/home/d", [], "x"))
