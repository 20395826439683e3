"""Certificates: bounds on fresh items, refusals where no bound would hold."""

from __future__ import annotations

import pytest

import halflight as hl


@pytest.fixture(scope="module")
def noisy(network: hl.Network, data: hl.Dataset) -> hl.CompiledNetwork:
    return hl.compile(network, data, steps=40, batch=300, noise=0.2)


def test_every_attacker_is_bounded(noisy: hl.CompiledNetwork) -> None:
    certificate = hl.certify(noisy, draw=4000, points=300, prior="sampled")
    assert 50.0 < certificate.bound <= 100.0
    assert set(certificate.classes) == set("0147")
    assert list(certificate.votes) == [5, 20, 50, 140]
    assert all(50 <= bound <= certificate.votes[k] for k, bound in certificate.mixed_votes.items())
    assert list(certificate.mixed_votes) == list(certificate.votes)
    assert certificate.weighted is not None and certificate.weighted > 50.0
    assert certificate.maximal_leakage_bits > 0 and "labels are right" in " ".join(certificate.assumptions)
    attackers = hl.draw(1000, seed=7, characters="0147", size=12, em=9.0, elastic_alpha=10.0)
    scored = hl.draw(1000, seed=8, characters="0147", size=12, em=9.0, elastic_alpha=10.0)
    found = hl.audit(noisy, attackers, scored, families=["knn-15"], control=False)
    assert found.strongest_pooled.low <= certificate.bound


def test_over_all_items_the_main_label_counts(noisy: hl.CompiledNetwork) -> None:
    within = hl.certify(noisy, draw=2000, points=300, growth=3)
    overall = hl.certify(noisy, draw=2000, points=300, overall=True)
    assert set(overall.classes) == {"all items"} and overall.bound > 50.0
    assert within.growth is not None and len(within.growth["points"]) == 3 and overall.growth is None


def test_items_that_the_network_saw_are_refused(noisy: hl.CompiledNetwork, data: hl.Dataset) -> None:
    with pytest.raises(hl.errors.CertificateError) as refused:
        hl.certify(noisy, data, points=300)
    assert refused.value.kind == "Seen"


def test_without_noise_there_is_no_number(compiled: hl.CompiledNetwork, test: hl.Dataset) -> None:
    with pytest.raises(hl.errors.CertificateError, match="nothing can be certified without noise"):
        hl.certify(compiled, test)
    with pytest.raises(TypeError):
        hl.certify(compiled)
