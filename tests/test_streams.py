"""Seeded random streams."""

from tertulia.streams import number, stream


def test_every_number_fits_a_signed_column_of_64_bits():
    drawn = [number(7, "conversation", index) for index in range(2_000)]

    assert max(drawn) < 2**63
    assert max(drawn) > 2**62
    assert len(set(drawn)) == 2_000


def test_a_stream_depends_on_the_seed_and_on_every_name():
    drawn = {stream(*names).random() for names in ((1, "a", "b"), (1, "ab"), (1, "a", 2), (2, "a", "b"), (1, "b", "a"))}

    assert len(drawn) == 5
    assert stream(1, "a").random() == stream(1, "a").random()
