"""Names of buckets that are nearly those of others."""

from raito_pipeline.aws.data_objects.misspelt import misspelt_of


def test_names_of_one_scheme_are_not_misspelt() -> None:
    names = ["acme-raw-210000000012-eu-west-1", "logs"]
    siblings = ["acme-raw-210000000013-eu-west-1", "acme-raw-210000000012-eu-west-2", "acme-curated-210000000012"]
    misspelt = ["acme-rw-210000000012-eu-west-1", "acme-raws-210000000012-eu-west-1", "lgos", "lugs"]

    said = misspelt_of([*siblings, *misspelt, "blags", "acme"], names)

    assert said == dict(zip(misspelt, [names[0], names[0], "logs", "logs"], strict=True))
