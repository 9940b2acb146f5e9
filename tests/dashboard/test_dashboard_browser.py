"""The dashboard in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import expect

from dashboard import ids
from dashboard.testing import EmptyViewReader
from tests.dashboard.conftest import Bench, served

pytestmark = pytest.mark.browser

PAGES = {
    "/": "Market mood",
    "/series?series=entity:ALDR": "Alder & Finch Bank",
    "/alerts": "7 alerts, 4 open",
    "/alerts/0000000000000000": "Strongest on the other side",
    "/documents": "of 640 documents",
    "/sources": "7 sources, 2 failing",
}
WAIT_MS = 10_000


@contextmanager
def looking(chromium: Any, width: int = 1440, faults: list[str] | None = None, **context: Any) -> Iterator[Any]:
    """Open a page that notes every error and every request to elsewhere."""
    opened = chromium.new_context(viewport={"width": width, "height": 900}, **context)
    page = opened.new_page()
    page.set_default_timeout(WAIT_MS)
    noted = faults if faults is not None else []
    page.on("console", lambda line: noted.append(line.text) if line.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: noted.append(str(error)))
    page.on("request", lambda asked: noted.append(asked.url) if "//127.0.0.1:" not in asked.url[:20] else None)
    try:
        yield page
    finally:
        opened.close()


def expect_text(page: Any, text: str | re.Pattern[str]) -> None:
    page.get_by_text(text).first.wait_for(state="visible")


@pytest.mark.parametrize("width", [1440, 390])
def test_each_page_renders_without_errors_and_without_scrolling_sideways(chromium: Any, quiet_site: str, width: int):
    faults: list[str] = []
    with looking(chromium, width, faults) as page:
        for path, text in PAGES.items():
            page.goto(quiet_site + path)
            expect_text(page, re.compile(re.escape(text)))
            expect_text(page, re.compile("Simulated: the documents of this run are invented"))
            expect_text(page, "12 Mar 2026, 14:37 UTC")
            page.wait_for_load_state("networkidle")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
            assert [fault for fault in faults if not fault.startswith(("data:", "blob:"))] == [], path


def test_with_nothing_to_show_every_page_says_so(chromium: Any):
    faults: list[str] = []
    with served(Bench(EmptyViewReader(), default_run=None)) as site, looking(chromium, 390, faults) as page:
        for path in ("/", "/series", "/alerts", "/alerts/nothing", "/documents", "/sources", "/nowhere"):
            page.goto(site + path)
            expect_text(page, "No such page" if path == "/nowhere" else "No data")
            page.wait_for_load_state("networkidle")
            assert page.locator(".js-plotly-plot:visible").count() == 0, path
    assert [fault for fault in faults if not fault.startswith("data:")] == []


def test_filters_stand_in_the_address_and_survive_reload_and_back(chromium: Any, quiet_site: str):
    with looking(chromium) as page:
        page.goto(f"{quiet_site}/documents?run=demo&watch=own")
        expect_text(page, re.compile("of [0-9]+ documents"))
        page.get_by_role("textbox", name="Label", exact=True).click()
        page.get_by_role("option", name="negative").click()
        page.wait_for_url(re.compile("label=negative"))
        assert "watch=own" in page.url
        assert "run=demo" in page.url
        page.locator(".ag-cell[col-id=label]").first.wait_for()
        page.wait_for_selector(".ag-cell[col-id=label] >> text=positive", state="detached")
        page.reload()
        page.locator(".ag-cell[col-id=label]").first.wait_for()
        assert set(page.locator(".ag-cell[col-id=label]").all_inner_texts()) == {"negative"}
        assert page.get_by_role("textbox", name="Label", exact=True).input_value() == "negative"
        page.get_by_role("textbox", name="Label", exact=True).click()
        page.get_by_role("option", name="positive").click()
        page.wait_for_url(re.compile("label=positive"))
        page.go_back()
        page.wait_for_url(re.compile("label=negative"))
        page.locator("input[value=negative]").first.wait_for()


def test_navigation_keeps_run_and_watch_list_and_drops_the_rest(chromium: Any, quiet_site: str):
    with looking(chromium) as page:
        page.goto(f"{quiet_site}/documents?run=demo&watch=own&label=negative")
        expect_text(page, re.compile("of [0-9]+ documents"))
        page.get_by_role("link", name="Alerts").first.click()
        page.wait_for_url(re.compile(r"/alerts\?run=demo&watch=own$"))
        expect_text(page, "2 alerts, 2 open")


def test_a_click_on_a_bar_shows_the_documents_of_its_window_and_no_button_sends_a_chart_away(
    chromium: Any, quiet_site: str
):
    with looking(chromium) as page:
        page.goto(f"{quiet_site}/series?series=market&size=1h&span=1d")
        page.locator(f"#{ids.SERIES_CHART} .barlayer .point").first.wait_for()
        box = page.locator(f"#{ids.SERIES_CHART} .barlayer .point path").nth(6).bounding_box()
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.wait_for_url(re.compile(r"at=2026-03-1\dT\d\d"))
        expect_text(page, re.compile(r"Documents of 1\d Mar 2026"))
        page.get_by_role("link", name="whole span").click()
        expect_text(page, re.compile("click a point for its own"))
        titles = page.locator(".modebar-btn").evaluate_all("all => all.map((one) => one.dataset.title)")
        assert titles == ["Zoom", "Pan", "Zoom in", "Zoom out", "Reset axes"]


def test_analyst_logs_in_acknowledges_with_a_note_and_sees_it_in_the_alerts_life(chromium: Any):
    bench = Bench(login_required=True, refresh_s=1)
    with served(bench) as site, looking(chromium) as page:
        page.goto(f"{site}/alerts/0000000000000000?run=demo")
        page.get_by_label("Name").fill("anna")
        page.get_by_label("Password").fill("password of anna")
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(re.compile(r"/alerts/0000000000000000\?run=demo"))
        page.get_by_label("Note").fill("the bank has answered <b>already</b>")
        page.get_by_role("button", name="Acknowledge").click()
        expect_text(page, re.compile("Acknowledged: sent"))
        page.locator(".bw-life").get_by_text("the bank has answered <b>already</b>").wait_for()
        assert page.get_by_role("button", name="Acknowledge").is_disabled()
        page.get_by_role("button", name="Resolve").click()
        page.get_by_role("button", name="Resolve").wait_for(state="hidden")
        page.get_by_role("button", name="Log out").click()
        page.wait_for_url(re.compile("/login"))
    assert [(sent.action, sent.actor) for _, sent in bench.feedback.sent] == [
        ("acknowledge", "anna"),
        ("resolve", "anna"),
    ]


def test_viewer_sees_the_alert_but_no_buttons(chromium: Any):
    with served(Bench(login_required=True)) as site, looking(chromium) as page:
        page.goto(f"{site}/login?next=/alerts/0000000000000000")
        page.get_by_label("Name").fill("vera")
        page.get_by_label("Password").fill("password of vera")
        page.get_by_role("button", name="Log in").click()
        expect_text(page, "Who was told")
        assert not page.get_by_role("button", name="Acknowledge").is_visible()


def test_login_required_shows_nothing_without_it(chromium: Any):
    with served(Bench(login_required=True)) as site, looking(chromium) as page:
        for path in ("/", "/documents", "/alerts/0000000000000000"):
            page.goto(site + path)
            expect_text(page, "The monitor of financial opinion. Log in to go on.")
            assert "Alder" not in page.content()


def test_a_session_that_ends_leads_to_the_login_and_back(chromium: Any):
    bench = Bench(login_required=True, refresh_s=1)
    with served(bench) as site, looking(chromium) as page:
        page.goto(f"{site}/login?next=/sources")
        page.get_by_label("Name").fill("adam")
        page.get_by_label("Password").fill("password of adam")
        page.get_by_role("button", name="Log in").click()
        expect_text(page, "7 sources, 2 failing \u00b7 of the crawler, whatever the run")
        del bench.accounts.users["adam"]
        # Polled: several requests of the page may be answered with the way to the login, each aborts the one before.
        expect(page).to_have_url(re.compile("/login.next=%2Fsources"), timeout=15_000)


def test_a_new_alert_shows_without_reload(chromium: Any):
    bench = Bench(refresh_s=1)
    with served(bench) as site, looking(chromium) as page:
        page.goto(site)
        expect_text(page, "Alder & Finch Bank")
        page.evaluate("window.loadedOnce = true")
        bench.reader.new_alert("feed", "Negative shift that has just begun")
        expect_text(page, "Negative shift that has just begun")
        assert page.evaluate("window.loadedOnce") is True


def test_a_store_that_is_away_is_said_and_recovers_by_itself(chromium: Any):
    bench = Bench(refresh_s=1)
    with served(bench) as site, looking(chromium) as page:
        page.goto(f"{site}/documents")
        expect_text(page, re.compile("of 640 documents"))
        bench.reader.available = False
        expect_text(page, "The store does not answer")
        assert page.get_by_text(re.compile("of 640 documents")).is_visible()
        bench.reader.available = True
        page.get_by_text("The store does not answer").wait_for(state="detached")


def test_a_store_that_is_away_at_first_is_waited_for(chromium: Any):
    bench = Bench(refresh_s=1)
    bench.reader.available = False
    with served(bench) as site, looking(chromium) as page:
        page.goto(site)
        expect_text(page, "The store does not answer")
        bench.reader.available = True
        expect_text(page, "slightly negative")


def test_a_dashboard_that_is_gone_is_said(chromium: Any):
    with served(Bench(refresh_s=1)) as site, looking(chromium) as page:
        page.goto(site)
        expect_text(page, "slightly negative")
        page.route("**/_dash-update-component*", lambda route: route.abort())
        expect_text(page, re.compile("No connection to the dashboard"))
        page.unroute("**/_dash-update-component*")
        page.get_by_text(re.compile("No connection to the dashboard")).wait_for(state="hidden")


def test_no_tick_asks_while_an_answer_is_outstanding(chromium: Any, quiet_site: str):
    with looking(chromium) as page:
        page.goto(quiet_site)
        expect_text(page, "slightly negative")
        page.wait_for_load_state("networkidle")
        asked = """() => {
          window.dash_clientside.callback_context = {triggered: [{prop_id: "tick.n_intervals"}]};
          const answer = window.dash_clientside.bellwether.ask(9, "/", location.search);
          return answer !== window.dash_clientside.no_update;
        }"""
        assert page.evaluate(asked)
        page.route("**/_dash-update-component*", lambda route: None)
        page.evaluate("() => { fetch('/_dash-update-component', {method: 'POST', body: '{}'}).catch(() => 0); }")
        assert not page.evaluate(asked)


@pytest.mark.parametrize("width", [1440, 390])
def test_hostile_text_is_text(chromium: Any, quiet_site: str, width: int):
    with looking(chromium, width) as page:
        page.goto(f"{quiet_site}/documents")
        page.get_by_text(re.compile(r"<img src=x onerror")).first.wait_for()
        if width > 1000:
            page.get_by_text(re.compile(r"<img src=x onerror")).first.click()
            page.get_by_role("dialog").get_by_text(re.compile("Calibrated|sure, polarity")).first.wait_for()
        page.wait_for_load_state("networkidle")
        assert page.evaluate("window.pwned") is None
        assert page.locator("a[href^='javascript' i]").count() == 0
        outside = page.locator("a[target=_blank]")
        assert outside.count() > 10
        assert all("noopener" in (outside.nth(i).get_attribute("rel") or "") for i in range(5))


def test_light_and_dark_are_a_click_apart_and_remembered(chromium: Any, quiet_site: str):
    with looking(chromium, color_scheme="light") as page:
        page.goto(quiet_site)
        page.locator(f"#{ids.OVERVIEW_HEAT} .heatmaplayer").first.wait_for()
        page.get_by_label("Light or dark").click()
        page.wait_for_selector("html[data-mantine-color-scheme=dark]")
        page.reload()
        page.wait_for_selector("html[data-mantine-color-scheme=dark]")


def test_pages_can_be_walked_by_keyboard(chromium: Any, quiet_site: str):
    with looking(chromium) as page:
        page.goto(quiet_site)
        expect_text(page, "slightly negative")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to content"
        unnamed = """() => [...document.querySelectorAll("button, a, input:not([type=hidden])")].filter((one) =>
          one.offsetParent && !one.textContent.trim() && !one.ariaLabel && !one.labels?.length
          && !one.getAttribute("aria-labelledby")).map((one) => one.outerHTML.slice(0, 200))"""
        assert page.evaluate(unnamed) == []
