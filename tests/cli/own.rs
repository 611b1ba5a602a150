//! Mocks of the user's own, named by scenarios with a path.

use crate::program::ran;
use crate::suite::folder;
use tempfile::TempDir;

const SERVER: &str = "name: shop\nversion: \"1\"\n";
const CATALOGUE: &str = r#"{"tools": [
  {"name": "list_orders", "risk": "read", "inputSchema": {"type": "object"}},
  {"name": "refund_order", "risk": "high", "inputSchema":
    {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]}}
]}"#;
const TOOLS: &str = "\
list_orders: {description: Lists the orders., answers: [{give: {orders: [o-1, o-2]}}]}
refund_order: {description: Pays an order back., answers: [{give: {refunded: \"{{ args.order }}\"}}]}
";
const SCENARIO: &str = "\
scenario: no order is paid back
upstreams: [./shop]
policy: {version: \"1\", default: deny, tools: {list_orders: {}, refund_order: {action: deny}}}
steps:
  - {call: list_orders, expect: {verdict: allowed, answer: {structuredContent: {orders: [o-1, o-2]}}}}
  - {call: refund_order, with: {order: o-1}, expect: denied}
";

/// A suite with a shop beside its scenario.
fn suite(more: &[(&str, &str)]) -> TempDir {
    let shop = [
        ("suite/shop/server.yaml", SERVER),
        ("suite/shop/catalogue.json", CATALOGUE),
        ("suite/shop/tools/orders.yaml", TOOLS),
        ("suite/refunds.yaml", SCENARIO),
    ];
    folder(&[&shop[..], more].concat())
}

#[test]
fn a_mock_of_ones_own_stands_behind_a_gateway() {
    let here = suite(&[]);
    let gauntlet = |arguments: &[&str]| ran(here.path(), arguments, &[]);
    let checked = gauntlet(&["check", "suite"]);
    assert_eq!(
        (checked.code, checked.out.as_str()),
        (0, "1 scenario without mistakes\n1 mock without mistakes\n")
    );
    let run = gauntlet(&["run", "suite", "-u"]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    assert!(run.out.contains("upstreams shop   1 scenario"), "{}", run.out);
    let again = ran(here.path(), &["run", "suite"], &[("CI", "true")]);
    assert_eq!(again.code, 0, "{}{}", again.out, again.err);
    let control = gauntlet(&["run", "suite", "--gateway", "direct"]);
    assert_eq!(control.code, 1);
    assert!(
        control.out.contains(r#"shop     1 execution of refund_order {"order":"o-1"}"#),
        "{}",
        control.out
    );
    let rendered = gauntlet(&["render", "suite/refunds.yaml", "--for", "reference"]);
    assert_eq!(rendered.code, 0, "{}", rendered.err);
    assert!(rendered.out.contains("refund_order"), "{}", rendered.out);
    assert_eq!(
        gauntlet(&["list", "tools", "suite/shop"]).out,
        "shop  list_orders   read\nshop  refund_order  high\n"
    );
}

#[test]
fn one_path_means_another_mock_from_another_place() {
    let books = CATALOGUE.replace("list_orders", "list_books").replace("refund_order", "burn_book");
    let tools = TOOLS.replace("list_orders", "list_books").replace("refund_order", "burn_book");
    let scenario = "\
scenario: no book is burnt
upstreams: [./shop]
policy: {version: \"1\", default: deny, tools: {list_books: {}}}
steps:
  - {call: list_books, expect: allowed}
  - {call: burn_book, with: {order: b-1}, expect: denied}
";
    let here = suite(&[
        ("suite/more/shop/server.yaml", SERVER),
        ("suite/more/shop/catalogue.json", &books),
        ("suite/more/shop/tools/all.yaml", &tools),
        ("suite/more/books.yaml", scenario),
    ]);
    for (isolate, told) in [
        ("scenario", "2 passed, 0 failed\n"),
        ("pack", "2 passed, 0 failed\n"),
        // One start has room for one of the two.
        ("run", "other servers behind the gateway)\n1 passed, 0 failed, 1 not applicable\n"),
    ] {
        let run = ran(here.path(), &["run", "suite", "--isolate", isolate], &[]);
        assert!(run.out.ends_with(told), "{isolate}: {}{}", run.out, run.err);
    }
}

#[test]
fn what_is_wrong_with_it_is_told_where_it_is_named() {
    let wrong = "list_orders: {description: Lists the orders., answers: []}\n";
    let gone = SCENARIO.replace("./shop", "../shop");
    let nameless = SCENARIO.replace("./shop", "..");
    let named = SCENARIO.replace("./shop", "shop");
    let here = suite(&[
        ("suite/shop/tools/orders.yaml", wrong),
        ("suite/gone.yaml", &gone),
        ("suite/nameless.yaml", &nameless),
        ("suite/named.yaml", &named),
        ("suite/refunds2.yaml", SCENARIO),
    ]);
    let checked = ran(here.path(), &["check", "suite"], &[]);
    assert_eq!(checked.code, 2);
    insta::assert_snapshot!(checked.err, @r"
    error: there is no folder `suite/../shop`
     --> suite/gone.yaml:2:13
      |
    2 | upstreams: [../shop]
      |             ^^^^^^^
      |
      = help: name the folder of a mock from where this file lies
    error: unknown mock `shop`
     --> suite/named.yaml:2:13
      |
    2 | upstreams: [shop]
      |             ^^^^
      |
      = help: known are `conformance`, `ludus`, `office`, `velociraptor`; one of your own is named by the path of its folder: `./shop`
    error: `..` gives the upstream no name
     --> suite/nameless.yaml:2:13
      |
    2 | upstreams: [..]
      |             ^^
      |
      = help: write `{NAME: ..}`
    error: suite/shop/catalogue.json:1: `refund_order` has no entry in any file of `tools/`
     --> suite/refunds.yaml:2:13
      |
    2 | upstreams: [./shop]
      |             ^^^^^^
    error: the mock in `suite/shop` has mistakes
     --> suite/refunds2.yaml:2:13
      |
    2 | upstreams: [./shop]
      |             ^^^^^^
    5 scenarios with mistakes, 0 without
    suite/shop/catalogue.json:1: `refund_order` has no entry in any file of `tools/`
    1 mock with mistakes, 0 without
    ");
    assert_eq!(ran(here.path(), &["run", "suite"], &[]).code, 2);
}
