import pytest

from runtime.web.phone.layers import layers_of, parse_layers, parse_package

CHROME = "com.android.chrome"
MAIN = f"{CHROME}/com.google.android.apps.chrome.Main"
ANDROID_10 = f"""
Background for -SurfaceView - {MAIN}#0
SurfaceView - {MAIN}#0
{MAIN}#0
StatusBar#0
"""
ANDROID_12 = f"""
ActivityRecord{{a6723a9 u0 {MAIN}#0
56d18fd {MAIN}#0
Background for SurfaceView[{MAIN}]#0
SurfaceView[{MAIN}]#0
SurfaceView[{MAIN}](BLAST)#0
ChromeChildSurface#3
Bounds for - {MAIN}#0
SurfaceView[{CHROME}.beta/x](BLAST)#1
"""
ANDROID_15 = f"""
RequestedLayerState{{ff5d6b3 ActivityRecordInputSink {MAIN}#28994 parentId=28983 z=-2147483648}}
RequestedLayerState{{ActivityRecord{{5e6ac22 u0 {MAIN} t329 mVisible=true}}#28983 parentId=28965}}
RequestedLayerState{{54dfae7 {MAIN}#28989 parentId=28983}}
RequestedLayerState{{{MAIN}#29149 parentId=28989}}
RequestedLayerState{{632a464 SurfaceView[{MAIN}](BLAST)@0#63275 parentId=28989 z=-2}}
"""


@pytest.mark.parametrize(
    ("text", "surfaces", "windows"),
    [
        (ANDROID_10, (f"SurfaceView - {MAIN}#0",), (f"{MAIN}#0",)),
        (ANDROID_12, (f"SurfaceView[{MAIN}](BLAST)#0", "ChromeChildSurface#3"), (f"56d18fd {MAIN}#0",)),
        (
            ANDROID_15,
            (f"632a464 SurfaceView[{MAIN}](BLAST)@0#63275",),
            (f"54dfae7 {MAIN}#28989", f"{MAIN}#29149"),
        ),
    ],
    ids=["10", "12", "15"],
)
def test_the_layers_that_show_chrome_are_found_on_each_android(text, surfaces, windows):
    found = layers_of(parse_layers(text), CHROME)
    assert (found.surfaces, found.windows) == (surfaces, windows)


def test_an_app_s_web_view_is_drawn_into_its_window():
    found = layers_of(
        parse_layers("org.news.app/org.news.app.Read#7\norg.news.application/x#8\n"), "org.news.app"
    )
    assert (found.surfaces, found.windows) == ((), ("org.news.app/org.news.app.Read#7",))


def test_names_that_are_none_are_passed_over():
    assert parse_layers("\x1b[31m#0\n" + "x" * 300 + "\n12:StatusBar#0\n") == ["StatusBar#0"]


@pytest.mark.parametrize("text", ["", "/usr/bin/x", "chrome", "a b.c", "a..b"])
def test_what_names_no_app_is_none(text):
    assert parse_package(text) is None
