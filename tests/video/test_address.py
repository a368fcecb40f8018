"""What is taken for an address."""

from zoomvqa.video.address import is_remote, scheme_of


def test_what_is_an_address():
    for location in ("s3://bucket/a.mp4", "file:///a.mp4", "HTTPS://host/a.mp4", "memory://a", "zip://a::s3://b"):
        assert is_remote(location)
    for location in ("a.mp4", "/a/b.mp4", "C://a.mp4", "a:/b", "dir/s3://a", "://a", ""):
        assert not is_remote(location)


def test_schemes():
    assert [scheme_of(location) for location in ("HTTPS://host/a.mp4", "s3://a", "a.mp4")] == ["https", "s3", ""]
