use super::*;
use reqwest::Method;

async fn server(answer: Value) -> (MockServer, Client) {
    let server = MockServer::start(mock(json!([answer]))).await;
    let client = Client::opened(&server, "2025-11-25").await;
    (server, client)
}

fn call() -> String {
    json!({"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": {"name": "get_range"}}).to_string()
}

#[tokio::test]
async fn connections_break_where_they_should() {
    for (fault, forgets) in [("drop", false), ("crash", true)] {
        let (server, client) = server(json!({"fault": fault, "give": {}})).await;
        assert!(client.send(Method::POST, call()).send().await.is_err(), "{fault}");
        assert_eq!(client.ask("ping", json!({})).await.status, if forgets { 404 } else { 200 }, "{fault}");
        assert_eq!(server.ledger()[1].executed.len(), 1);
    }
    let (_server, client) =
        server(json!({"fault": "truncate", "give": {"a": "long enough to be cut"}})).await;
    let answer = client.send(Method::POST, call()).send().await.unwrap();
    assert!(answer.headers()["content-length"].to_str().unwrap().parse::<usize>().unwrap() > 50);
    assert!(answer.text().await.is_err());
}

#[tokio::test]
async fn answers_are_spoilt_as_told() {
    let (_server, client) = server(json!({"fault": "garbage", "give": {}})).await;
    assert!(serde_json::from_str::<Value>(&client.raw(Method::POST, call()).await.body).is_err());
    let (_server, client) = server(json!({"fault": "wrong_id", "give": {"a": 1}})).await;
    let told = client.raw(Method::POST, call()).await.json();
    assert_eq!((&told["id"], &told["result"]["structuredContent"]), (&json!(987_654_321), &json!({"a": 1})));
    let (_server, client) = server(json!({"fault": "twice", "give": {"a": 1}})).await;
    let told = client.raw(Method::POST, call()).await.events();
    assert_eq!((told.len(), &told[0]), (2, &told[1]));
    let (_server, client) = server(json!({"fault": {"oversize": "1MiB"}, "give": {"a": 1}})).await;
    let told = client.raw(Method::POST, call()).await;
    assert!(told.body.len() > 1 << 20 && told.json()["result"]["structuredContent"] == json!({"a": 1}));
}

#[tokio::test]
async fn an_http_answer_is_given_instead_and_nothing_runs() {
    let fault = json!({"fault": {"http": {"status": 429, "headers": {"retry-after": "7"}, "body": "slow down"}}, "times": 1});
    let answers: Vec<Answer> = serde_json::from_value(json!([fault, {"give": {}}])).unwrap();
    let server = MockServer::start(Mock::ludus().with_answers("get_range", answers).unwrap()).await;
    let client = Client::opened(&server, "2025-11-25").await;
    let told = client.raw(Method::POST, call()).await;
    assert_eq!(
        (told.status, told.body.as_str(), told.headers["retry-after"].to_str().unwrap()),
        (429, "slow down", "7")
    );
    assert!(server.ledger()[1].executed.is_empty());
    assert_eq!(client.raw(Method::POST, call()).await.status, 200);
}

#[tokio::test]
async fn a_call_that_hangs_can_be_taken_back() {
    let (server, client) = server(json!({"fault": "hang", "give": {}})).await;
    let hanging = tokio::spawn(client.send(Method::POST, call()).send());
    server.wait_for(|ledger| ledger.iter().any(|arrival| !arrival.executed.is_empty())).await;
    let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 5}});
    assert_eq!(client.post(cancel).await.status, 202);
    let told = tokio::time::timeout(SOON, hanging).await.unwrap().unwrap().unwrap();
    let told: Value = serde_json::from_str(&told.text().await.unwrap()).unwrap();
    assert_eq!(told["error"], json!({"code": 0, "message": "Request cancelled"}));
    assert!(server.ledger()[1].abandoned);
}

#[tokio::test]
async fn a_stopped_server_leaves_nobody_waiting() {
    let (server, client) = server(json!({"fault": "hang", "give": {}})).await;
    let hanging = tokio::spawn(client.send(Method::POST, call()).send());
    server.wait_for(|ledger| ledger.iter().any(|arrival| !arrival.executed.is_empty())).await;
    tokio::time::timeout(SOON, server.stop()).await.unwrap();
    let _ = tokio::time::timeout(SOON, hanging).await.unwrap();
}
