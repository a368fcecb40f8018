"""What Ray's actors do, done here: no Ray runs."""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import pytest
from conftest import Make

from zoomvqa.errors import ToolError
from zoomvqa.scoring.ray_cluster import ray_package

try:
    ray_package()
except ToolError as error:
    pytest.skip(str(error), allow_module_level=True)

from scoring.conftest import try_score
from zoomvqa.scoring import ray_messages, ray_stages
from zoomvqa.scoring.feeders import Failure, Task
from zoomvqa.scoring.parts import PartScorer
from zoomvqa.scoring.pieces import Ending, Piece, Restart
from zoomvqa.scoring.ray_gather import gathered
from zoomvqa.scoring.ray_messages import Desk, Message, PieceScores, packed, packets, unpacked
from zoomvqa.scoring.ray_stages import Decoding, OneEye, Scoring, VideoSource
from zoomvqa.scoring.recipe import ScorerRecipe
from zoomvqa.scoring.scorer import VideoScore
from zoomvqa.views import Span


class NoDesk:
    """A desk that says how often work was begun, and remembers what it is told."""

    def __init__(self, attempts: int = 1) -> None:
        self.told: list[tuple] = []
        self.attempt = SimpleNamespace(remote=lambda *what: attempts)

    def put(self, number: int, location: str) -> None:
        self.told.append(("put", number, location))

    def end(self, total: int) -> None:
        self.told.append(("end", total))

    def done(self, number: int) -> None:
        self.told.append(("done", number))


@pytest.fixture(autouse=True)
def no_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked of an actor is answered at once, and threads stay as they are."""
    monkeypatch.setattr(ray_stages.ray, "get", lambda answer: answer)
    monkeypatch.setattr(ray_stages.torch, "set_num_threads", lambda count: None)


@pytest.fixture(autouse=True)
def no_process_stays(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Processes that look at videos are ended: an actor's end with it."""
    made, make = [], OneEye.__init__
    monkeypatch.setattr(OneEye, "__init__", lambda eye, *given: made.append(eye) or make(eye, *given))
    yield
    for eye in made:
        eye.close()


def stages(recipe: ScorerRecipe, desk: NoDesk | None = None) -> tuple[Decoding, Scoring]:
    scorer, desk = recipe.scorer(), desk or NoDesk()
    task = Task(scorer.networks.looks, scorer.reading)
    return Decoding(desk, task, 60), Scoring(desk, [SimpleNamespace(scorer=recipe.scorer)], 2)


def told(tables: Iterator) -> list[Message]:
    return [message for table in tables for messages in unpacked(table) for message in messages]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["checkpoint", "clip_checkpoint"])
def test_scores_are_those_of_scoring_alone_in_whatever_order_and_however_often_messages_come(
    request, make_video: Make, monkeypatch, kind
):
    monkeypatch.setattr(ray_messages, "_PACKET", 1)  # each piece travels alone
    recipe = ScorerRecipe(request.getfixturevalue(kind), "cpu")
    looking, scoring = stages(recipe)
    videos = [(f"v{i}", make_video(f"stage_{i}.mp4", frames=60 * i, size="128x80")) for i in (1, 2)]
    scorer = recipe.scorer()
    tables = [table for place, (_, path) in enumerate(videos) for table in looking(packed((place, str(path))))]
    assert len(tables) >= 5
    found = [scored for table in tables * 2 for scored in scoring(table)]
    random.Random(0).shuffle(found)
    desk = NoDesk()
    rows = list(gathered(desk, iter(found), scorer, ((name, str(path)) for name, path in videos), 5))
    assert len(rows) == 2
    for name, path in videos:
        assert replace(dict(rows)[name], seconds=0.0) == replace(try_score(scorer, path), seconds=0.0)
        assert dict(rows)[name].seconds > 0
    assert desk.told[:3] == [("put", 0, str(videos[0][1])), ("put", 1, str(videos[1][1])), ("end", 2)]
    assert sorted(desk.told[3:]) == [("done", 0), ("done", 1)]


@pytest.mark.slow
def test_one_process_looks_at_all_videos_and_is_replaced_when_left_midway(make_video: Make, checkpoint):
    scorer = ScorerRecipe(checkpoint, "cpu").scorer()
    eye = OneEye(Task(scorer.networks.looks, scorer.reading), 60)
    video = make_video("stage_2.mp4", frames=300, size="128x80")
    first = list(eye.look(str(video)))
    assert isinstance(first[-1], Ending)
    assert [type(seen) for seen in eye.look("none.mp4")] == [Failure]
    midway = eye.look(str(video))
    assert isinstance(next(midway), Piece)
    midway.close()
    again = list(eye.look(str(video)))
    assert [type(seen) for seen in again] == [type(seen) for seen in first]
    assert (again[0].data == first[0].data).all()


def test_a_network_that_fails_costs_one_row(checkpoint, make_video: Make, monkeypatch):
    def out_of_memory(*_: object, **__: object) -> None:
        raise RuntimeError("out of memory")

    recipe = ScorerRecipe(checkpoint, "cpu")
    _, scoring = stages(recipe)
    monkeypatch.setattr(PartScorer, "score", out_of_memory)
    seen = [Message(0, 0, Piece("iqa", None)), Message(1, 0, Failure("it is no video"))]
    found = told(scoring(packed(seen)))
    assert [m.content for m in found] == [Failure("RuntimeError: out of memory"), Failure("it is no video")]
    rows = list(gathered(NoDesk(), iter([packed(found)]), recipe.scorer(), iter([("a", "a"), ("b", "b")]), 9))
    assert [(name, row.score, row.error) for name, row in rows] == [
        ("a", None, "RuntimeError: out of memory"),
        ("b", None, "it is no video"),
    ]


def test_a_video_that_takes_its_worker_down_each_time_is_given_up(checkpoint, make_video: Make):
    looking, scoring = stages(ScorerRecipe(checkpoint, "cpu"), desk=NoDesk(4))
    assert told(looking(packed((7, "a.mp4")))) == [
        Message(7, 0, Failure("the worker that decodes it died 3 times"))
    ]
    (scored,) = told(scoring(packed([Message(7, 2, Piece("iqa", None))])))
    assert scored.content == Failure("the worker that scores it died 3 times")


def test_a_video_that_is_done_is_not_looked_at_again(checkpoint):
    looking, _ = stages(ScorerRecipe(checkpoint, "cpu"))
    assert told(looking(packed((3, "")))) == [Message(3, 0, Failure("done"))]


def test_a_video_that_ray_loses_has_a_row(checkpoint):
    scorer = ScorerRecipe(checkpoint, "cpu").scorer()
    (row,) = gathered(NoDesk(), iter([]), scorer, iter([("a.mp4", "a.mp4")]), 5)
    assert row == ("a.mp4", VideoScore(None, "Ray lost what it found of this video"))


def test_no_more_videos_are_taken_than_there_is_room_for(checkpoint):
    scorer = ScorerRecipe(checkpoint, "cpu").scorer()
    desk = NoDesk()

    def failures() -> Iterator:
        for number in range(1000):
            assert len(desk.told) - 2 * number == 4
            yield packed([Message(number, 0, Failure("no video"))])

    rows = gathered(desk, failures(), scorer, ((str(i), f"{i}.mp4") for i in range(10**9)), 4)
    for number in range(900):
        assert next(rows)[0] == str(number)


def test_packets_are_bounded(checkpoint, monkeypatch):
    monkeypatch.setattr(ray_messages, "_PACKET", 100)
    numpy = pytest.importorskip("numpy")
    pieces = [Message(0, place, Piece("vqa", numpy.full(40, place, numpy.uint8))) for place in range(7)]
    tables = list(packets([*pieces, Message(0, 7, Ending({}, {}, "pyav"))]))
    assert [len(next(unpacked(table))) for table in tables] == [3, 3, 2]
    assert all(table.num_rows == 1 for table in tables)
    back = [message.content.data for message in told(iter(tables))[:-1]]
    assert [(data == place).all() for place, data in enumerate(back)] == [True] * 7
    assert back[0].flags.writeable  # torch wants no others


def test_the_desk_gives_out_each_video_once_it_is_there():
    async def work() -> list:
        desk = Desk()
        asked = asyncio.create_task(desk.video(0))
        await asyncio.sleep(0)
        assert not asked.done()
        await desk.put(1, "b")  # calls overtake each other
        await desk.end(2)
        await asyncio.sleep(0)
        assert not asked.done()
        await desk.put(0, "a")
        found = [await asked, await desk.video(1), await desk.video(2)]
        assert [await desk.attempt("look", 0, 0) for _ in range(3)] == [1, 2, 3]
        assert await desk.attempt("score", 0, 0) == 1
        await desk.done(0)
        assert await desk.attempt("look", 0, 0) == 1  # nothing is remembered of what is done
        # A reader that starts over sees what is done as such, and the rest again.
        return [*found, await desk.video(0), await desk.video(1)]

    assert asyncio.run(work()) == [(0, "a"), (1, "b"), None, (0, ""), (1, "b")]


def test_the_source_reads_until_the_last():
    given = iter([(0, "a"), (1, "b"), None])
    source = VideoSource(SimpleNamespace(video=SimpleNamespace(remote=lambda number: next(given))))
    (task,) = source.get_read_tasks(1)
    assert [list(unpacked(table)) for table in task()] == [[(0, "a")], [(1, "b")]]
    assert source.estimate_inmemory_data_size() is None


def test_pieces_before_a_restart_do_not_count(checkpoint):
    frames = [Span(n, n, 0.1 * n, 0.1 * n) for n in range(2)]
    ending = Ending({"iqa": frames}, {"iqa": "frame"}, "pyav", damage="damaged: 2 of 3 frames decode")
    content = [PieceScores("iqa", [9.0]), Restart(), PieceScores("iqa", [1.0, 2.0]), ending]
    messages = [Message(0, place, each) for place, each in enumerate(content)]
    scorer = ScorerRecipe(checkpoint, "cpu").scorer()
    (row,) = gathered(NoDesk(), iter([packed(messages[::-1])]), scorer, iter([("a", "a.mp4")]), 9)
    assert [part.score for part in row[1].frames] == [1.0, 2.0]
    assert (row[1].reader, row[1].damage) == ("pyav", "damaged: 2 of 3 frames decode")


def test_an_actor_keeps_its_freed_memory(checkpoint, monkeypatch):
    kept = []
    monkeypatch.setattr("zoomvqa.scoring.ray_stages.keep_freed_memory", lambda: kept.append(1))
    stages(ScorerRecipe(checkpoint, "cpu"))
    assert kept == [1]
