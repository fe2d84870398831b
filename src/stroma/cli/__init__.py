"""The command line: every command parses, makes one call, and shows."""

from stroma.registry import Registry

COMMANDS = Registry(
    "command",
    {
        "demo": "stroma.cli.demo:demo",
        "paint": "stroma.cli.paint:paint",
        "import": "stroma.cli.importing:import_",
        "train": "stroma.cli.train:train",
        "segment": "stroma.cli.segment:segment",
        "track": "stroma.cli.track:track",
        "objects": "stroma.cli.objects:objects",
        "carve": "stroma.cli.carve:carve",
        "particles": "stroma.cli.particles:particles",
        "prompt": "stroma.cli.prompt:prompt",
        "cluster": "stroma.cli.cluster:cluster",
        "locate": "stroma.cli.locate:locate",
        "learn": "stroma.cli.learn:learn",
        "adapt": "stroma.cli.adapt:adapt",
        "export": "stroma.cli.exporting:export",
        "recipe": "stroma.cli.recipe:recipe",
        "run": "stroma.cli.run:run",
        "plan": "stroma.cli.plan:plan",
        "evaluate": "stroma.cli.evaluate:evaluate",
        "compare": "stroma.cli.compare:compare",
        "features": "stroma.cli.features:features",
        "models": "stroma.cli.models:models",
        "fetch": "stroma.cli.fetch:fetch",
        "doctor": "stroma.cli.doctor:doctor",
    },
    group="stroma.commands",
)
