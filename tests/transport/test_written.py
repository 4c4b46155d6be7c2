"""A request is written as HTTP, or not at all."""

from urllib.parse import urlencode

import pytest

from jobs.transport.written import encoded, written


def test_head_and_body_are_one_piece() -> None:
    assert written("POST", "/a?b=c", {"host": "h:1", "x": "y z"}, b"{}") == (
        b"POST /a?b=c HTTP/1.1\r\nhost: h:1\r\nx: y z\r\ncontent-length: 2\r\n\r\n{}"
    )


@pytest.mark.parametrize(("method", "told"), [("GET", False), ("HEAD", False), ("POST", True), ("PUT", True)])
def test_a_length_is_told_where_one_is_expected(method: str, told: bool) -> None:
    assert (b"content-length: 0\r\n" in written(method, "/", {}, None)) == told


@pytest.mark.parametrize("value", ["a\r\nx: y", "a\nb", "a\rb", "a\x00b", " a", "a ", "é", "中", "\x7f"], ids=ascii)
def test_a_header_that_would_be_read_as_another_is_not_written(value: str) -> None:
    with pytest.raises(ValueError, match=r"^no header of a request$"):
        written("POST", "/", {"authorization": value}, b"{}")


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\nb", "é", "Content-Length", "transfer-encoding"], ids=ascii)
def test_nor_one_whose_name_is_none_or_tells_a_length(name: str) -> None:
    with pytest.raises(ValueError, match=r"^no header of a request$"):
        written("POST", "/", {name: "2"}, b"{}")


@pytest.mark.parametrize(
    "target", ["", "/a b", "/a\r\nx: y", "/é", "/a#b", "/..", "/a/../b", "/a/./b", "/a/..?b=c"], ids=ascii
)
def test_a_target_that_leads_elsewhere_is_not_written(target: str) -> None:
    with pytest.raises(ValueError, match=r"^no target of a request$"):
        written("GET", target, {}, None)


@pytest.mark.parametrize("method", ["", "GET ", "get", "GET\r\n"])
def test_nor_a_method_that_is_none(method: str) -> None:
    with pytest.raises(ValueError, match=r"^no target of a request$"):
        written(method, "/", {}, None)


@pytest.mark.parametrize(
    "value", ["20", "+27821234567", "a b", "a&b=c", "é", "٣", "²", "", "a.b-c_d~e", "\r\n"], ids=ascii
)
def test_a_query_is_encoded_as_the_standard_library_does(value: str) -> None:
    assert encoded([("identity", value), ("a b", "1")]) == urlencode([("identity", value), ("a b", "1")])
