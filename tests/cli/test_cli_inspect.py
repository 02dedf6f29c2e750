"""``shoal inspect`` as a person meets it."""

import json

import pytest

from architectures import letter_tokenizer, letters, tiny_model
from shoal.cli.main import main

TEXT = "One day, a girl named Lily saw a big dog."
MODEL = ["--model", "bundled:searches"]


def run(words, capsys):
    main(words)
    return capsys.readouterr().out


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    stories = ["Tim had a red ball. He liked the ball.", "Lily saw a dog. The dog was big and the dog ran."] * 4
    path = tmp_path_factory.mktemp("corpus") / "corpus.txt"
    path.write_text("\n\n".join(stories))
    return path


@pytest.fixture(scope="module")
def all_of_it(corpus, tmp_path_factory):
    """Every option at once: JSON and the page."""
    folder = tmp_path_factory.mktemp("inspect")
    pairs = folder / "pairs.jsonl"
    row = {
        "prompt": "Lily gave the ball to",
        "counterfactual": "Tim gave the ball to",
        "target": " Tim",
        "foil": " Lily",
    }
    pairs.write_text(json.dumps(row) + "\n")
    rows = folder / "rows.jsonl"
    rows.write_text(json.dumps({"prompt": "One day, a", "completion": " little", "ends": False}) + "\n")
    words = ["inspect", TEXT, *MODEL, "--corpus", str(corpus), "--pairs", str(pairs), "--data", str(rows)]
    words += ["--target", " dog", "--foil", " cat", "--position", "-2", "--plot", str(folder / "x.html"), "--json"]
    return words, folder


def test_json_holds_every_view(all_of_it, capsys):
    words, folder = all_of_it
    found = json.loads(run(words, capsys))
    count = len(found["tokens"])
    assert found["missing"] == {}
    assert len(found["surprisal"]) == count
    assert len(found["roles"]["heads"]) == len(found["attention"]) == 16
    assert [layer["layer"] for layer in found["lens"]["layers"]] == ["embedding", *(f"block {n}" for n in range(4))]
    assert sum(found["attribution"]["parts"].values()) == pytest.approx(found["attribution"]["total"], abs=1e-3)
    assert found["attribution"]["position"] == count - 2
    assert len(found["neurons"]["neurons"]) == 20
    assert found["patching"]["site"] == "attention.heads"
    assert len(found["ablation"]["ablations"]) == 16
    page = (folder / "x.html").read_text()
    for anchor in ("tokens", "attention", "roles", "stream", "lens", "attribution", "neurons", "patching", "ablation"):
        assert f'<section id="{anchor}"' in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page


def test_figures_are_printed(capsys):
    out = run(["inspect", TEXT, *MODEL], capsys)
    assert "bits per token" in out
    assert "previous token" in out
    assert "no neurons: no corpus was given" in out


def test_named_heads_and_neurons_are_taken_away(all_of_it, capsys):
    _, folder = all_of_it
    words = ["inspect", TEXT, *MODEL, "--data", str(folder / "rows.jsonl"), "--json"]
    words += ["--ablate", "block 1 head 0", "--ablate", "block 0 neuron 7", "--ablation", "zero"]
    found = json.loads(run(words, capsys))
    for name, unit, place in (("ablation", "head", (1, 0)), ("neuron_ablation", "neuron", (0, 7))):
        (each,) = found[name]["ablations"]
        assert (found[name]["unit"], each["block"], each["index"]) == (unit, *place)


def test_a_tuned_lens_is_trained_once_and_used_again(corpus, capsys, tmp_path):
    words = ["inspect", TEXT, *MODEL, "--tuned-lens", str(tmp_path / "lens.safetensors"), "--json"]
    first = json.loads(run([*words, "--corpus", str(corpus)], capsys))
    again = json.loads(run(words, capsys))
    assert first["lens"]["kind"] == "tuned lens"
    assert again["lens"] == first["lens"]


@pytest.fixture(scope="module")
def training(tmp_path_factory):
    """Two checkpoints: fresh weights, and trained ones."""
    from shoal.models import load_model, save_model

    folder = tmp_path_factory.mktemp("training")
    for step, spec in ((10, "random:bundled:searches"), (20, "bundled:searches")):
        loaded = load_model(spec)
        save_model(loaded.model, loaded.tokenizer, folder / f"checkpoint-{step}")
    return folder


def test_a_run_is_followed_over_its_checkpoints(training, corpus, capsys, tmp_path):
    words = ["inspect", TEXT, "--run", str(training), "--plot", str(tmp_path / "over.html"), "--json"]
    words += ["--corpus", str(corpus)]
    found = json.loads(run(words, capsys))
    assert set(found["checkpoints"]) == {"10", "20"}
    assert found["checkpoints"]["10"]["roles"]["heads"][0]["roles"] == []
    assert found["over_training"]["steps"] == [10, 20]
    assert {each["rise"]["threshold_step"] for each in found["over_training"]["moments"]} == {20}
    assert found["neurons_over_training"]["steps"] == [10, 20]
    page = (tmp_path / "over.html").read_text()
    assert "Heads over training" in page
    assert "Neurons over training" in page
    assert (tmp_path / "over-10.html").is_file()


def test_a_history_that_cannot_be_told_says_why_and_the_others_are_shown(capsys, tmp_path):
    from shoal.models import save_model

    for step in (10, 20):
        save_model(tiny_model("GPTNeo"), letter_tokenizer(), tmp_path / f"checkpoint-{step}")
    (tmp_path / "one.txt").write_text(letters(range(1, 12)))
    words = ["inspect", letters([3, 4, 5]), "--run", str(tmp_path), "--corpus", str(tmp_path / "one.txt")]
    run([*words, "--plot", str(tmp_path / "over.html")], capsys)
    page = (tmp_path / "over.html").read_text()
    assert "Heads over training" in page
    assert "Not shown: what a neuron fires on is found on one half" in page[page.index("Neurons over training</h2>") :]


def test_a_text_that_does_not_fit_is_refused_before_anything_long_begins(corpus, capsys, tmp_path):
    lens = tmp_path / "lens.safetensors"
    long = "One day " * 2000
    for words in (["--tuned-lens", str(lens), "--corpus", str(corpus)], ["--tuned-lens", str(lens)]):
        with pytest.raises(SystemExit):
            main(["inspect", long, *MODEL, *words])
        assert "reads at most 2048" in capsys.readouterr().err
    assert not lens.exists()


def test_odd_texts_are_read(capsys):
    text = "🙂 naïve 日本 שלום"
    assert json.loads(run(["inspect", text, *MODEL, "--json"], capsys))["text"] == text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["inspect", "", *MODEL], "empty"),
        (["inspect", "One day " * 2000, *MODEL], "reads at most 2048"),
        (["inspect", TEXT], "give one of --model SPEC and --run FOLDER"),
        (["inspect", TEXT, "--model", "oracle?p=0.5"], "no list of"),
        (["inspect", TEXT, *MODEL, "--target", " unbelievable dog"], "is not one token"),
        (["inspect", TEXT, *MODEL, "--position", "999"], "outside of the text"),
        (["inspect", TEXT, *MODEL, "--tuned-lens", "nowhere.safetensors"], "give --corpus FILE"),
        (["inspect", TEXT, *MODEL, "--pairs", "EMPTY"], "holds no pair"),
        (["inspect", TEXT, *MODEL, "--pairs", "PAIRS", "--site", "attention.head"], "attention.heads"),
        (
            ["inspect", TEXT, *MODEL, "--data", "ROWS.jsonl", "--ablate", "block 9 head 1"],
            "did you mean 'block 3 head 1'",
        ),
        (["inspect", TEXT, *MODEL, "--ablate", "block 0 head 1"], "give --data FILE"),
        (["inspect", TEXT, *MODEL, "--site", "mlp.output", "--method", "attribution"], "leave out --site and --method"),
        (["inspect", TEXT, *MODEL, "--ablation", "zero"], "without --data FILE; leave out --ablation"),
        (["inspect", TEXT, *MODEL, "--plot", "nowhere/page.html"], "make it first"),
        (["inspect", TEXT, "--run", "FOLDER"], "holds 0 checkpoints"),
        (["inspect", TEXT, "--run", "FOLDER", "--pairs", "PAIRS"], "give --model for them"),
    ],
)
def test_bad_input_gets_one_line_and_exit_code_2(words, said, capsys, tmp_path):
    (tmp_path / "EMPTY").write_text("\n")
    (tmp_path / "PAIRS").write_text('{"prompt": "a", "counterfactual": "b", "target": "c", "foil": "d"}\n')
    (tmp_path / "ROWS.jsonl").write_text('{"prompt": "One day, a", "completion": " little", "ends": false}\n')
    (tmp_path / "FOLDER").mkdir()
    words = [str(tmp_path / word) if word in {"EMPTY", "PAIRS", "ROWS.jsonl", "FOLDER"} else word for word in words]
    with pytest.raises(SystemExit) as stop:
        main(words)
    error = capsys.readouterr().err
    assert stop.value.code == 2
    assert said in error.splitlines()[-1]
