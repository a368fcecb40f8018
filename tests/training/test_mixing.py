import torch

from zoomvqa.settings.branch import Mixing
from zoomvqa.training.mixing import mix

VIEWS = torch.arange(4.0).view(4, 1, 1, 1).expand(4, 3, 32, 32).contiguous()


def test_off():
    assert mix(VIEWS, Mixing()) is None


def test_mixup_is_the_weighted_sum():
    torch.manual_seed(0)
    mixed = mix(VIEWS, Mixing(mixup=1.0))
    expected = mixed.share * VIEWS + (1 - mixed.share) * VIEWS[mixed.partner]
    torch.testing.assert_close(mixed.views, expected)
    assert sorted(mixed.partner.tolist()) == [0, 1, 2, 3]


def test_cutmix_counts_the_area_it_really_cut():
    for seed in range(20):
        torch.manual_seed(seed)
        mixed = mix(VIEWS, Mixing(cutmix=1.0))
        for sample in range(4):
            partner = int(mixed.partner[sample])
            if partner != sample:
                own = (mixed.views[sample, 0] == VIEWS[sample, 0]).float().mean()
                assert abs(own.item() - mixed.share) < 1e-6
    assert torch.equal(VIEWS[:, 0, 0, 0], torch.arange(4.0))  # the input is not touched
