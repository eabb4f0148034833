"""Images: walk, mix, edit, ask an empty spot, and meet a code that says nothing."""

from app.parts.tour import Guess, Step
from gen_core.images.recipe import Edit, Interpolate, Map, Mix, Plane

STEPS = (
    Step(
        "A walk between two pictures",
        (
            "A picture is decoded from its code; between two codes other pictures are met. Codes of pictures lie on a shell: "
            "nearly all have the same length. The micrographs are synthetic, each rendered from eleven known numbers."
        ),
        Interpolate(seeds=(4, 9), path="lerp"),
        Guess(
            "What happens half way along the straight line?",
            ("The picture gets sharper", "The picture fades", "Nothing differs"),
            1,
            (
                "Half way the code is too short, a place where no picture lies, and the picture fades; along the sphere it "
                "does not. Play both, and see the dip in the curve of lengths below. It is the oldest mistake with latent "
                "spaces."
            ),
        ),
    ),
    Step(
        "Structure of one, texture of another",
        (
            "Rows keep their structure, columns give middle and fine style (AdaIN). Beside the mixes stands the rendered "
            "truth: the same eleven numbers exchanged. The score S is 1 where a mix is the truth and 0 where nothing was "
            "exchanged."
        ),
        Mix(content_seeds=(33, 1, 61), style_seeds=(71, 40, 26, 47), layers=("middle", "fine")),
    ),
    Step(
        "One known number",
        (
            "A direction in latent space that makes grains finer by one ASTM number. The table says how well it is read off "
            "unseen pictures (R² 0.97), and what it moves besides: along the whole range of grain sizes, another property by "
            "0.15 of its own range. Move another slider, and compare."
        ),
        Edit(seed=157, directions={"grain_size": 1.0}),
    ),
    Step(
        "An empty spot of the map",
        (
            "Each small picture is the training picture nearest to its place; turn **Thumbnails** off, and each is a dot. "
            "**Click** where none is: what is drawn there has the mean style of the 15 nearest, and the trust beside it says how "
            "far out it is. A map is a picture of a latent space, not the space itself."
        ),
        Map(spot=(0.0, 0.0)),
    ),
    Step(
        "A code that says nothing",
        "A plain autoencoder of two numbers, with the divergence weighed 3,000 times.",
        Plane(beta=3000),
        Guess(
            "What will the decoder draw at different spots?",
            ("Very different pictures", "The same picture everywhere", "Noise"),
            1,
            (
                "The posterior of every picture has become the prior, so the code carries no information and the decoder "
                "draws the mean picture everywhere. The number of nats tells; the loss alone does not. Try smaller weights."
            ),
        ),
    ),
)
