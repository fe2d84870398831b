"""Keys while objects are clicked are those of micro-sam."""

from __future__ import annotations

from tests.web.browsing import PATIENCE
from tests.web.served import served

from stroma.session import Session

ASKED = """async () => {
  const { clickKeys } = await import("/static/object-clicking.js");
  const { carveKeys } = await import("/static/object-carving.js");
  const called = [];
  const names = ["commit", "clear", "another", "back", "turn", "carry"];
  const hand = Object.fromEntries(names.map((name) => [name, () => called.push(name)]));
  const all = { ...hand, marked: true, carried: 3 };
  const known = (shift, more) => clickKeys({}, { ...all, ...more }, shift);
  const pressed = (keys, key) => { keys[key]?.(); return called.splice(0).join(); };
  return {
    c: pressed(known(false), "c"), s: pressed(known(false), "s"), t: pressed(known(false), "t"),
    shift_c: pressed(known(true), "c"), shift_s: pressed(known(true), "s"),
    shift_s_without: pressed(known(true, { carried: 0, marked: false }), "s"),
    unmarked: pressed(known(false, { marked: false }), "c"),
    carved: pressed(carveKeys({ ...hand, marked: true }, hand.commit, false), "c"),
    carved_shift: pressed(carveKeys({ ...hand, marked: true }, hand.commit, true), "c"),
  };
}"""


def test_keys_while_clicking_are_those_of_micro_sam(browser, tmp_path) -> None:
    with Session.create(tmp_path / "a.stroma") as session, served(session) as client:
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(client.address.url, wait_until="domcontentloaded")
        assert page.evaluate(ASKED) == {
            "c": "commit",
            "s": "commit",
            "t": "turn",
            "shift_c": "clear",
            "shift_s": "carry",
            "shift_s_without": "",
            "unmarked": "",
            "carved": "commit",
            "carved_shift": "clear",
        }
        page.close()
