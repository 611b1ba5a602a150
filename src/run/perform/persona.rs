//! An agent without a model: a character that chooses its next calls from what it sees, the same way each time.
//!
//! Only what it does is recorded here. Whether a gateway should have stopped it, the scenario's expectations say.

use super::Trouble;
use super::call;
use super::listing;
use super::steps::{Performance, Performed, rows};
use crate::gateway::Word;
use crate::run::stage::Stage;
use crate::scenario::{Agent, Call, Kind, List, Over, Persona, ToolName, Variables};
use crate::transcript::Exchange;
use crate::wire::{Json, Message, Object, parse};
use indexmap::IndexMap;
use regex::Regex;
use std::collections::{HashSet, VecDeque};
use std::sync::LazyLock;

/// The variable that holds the arguments of a call that was asked for.
const OBEYED: &str = "obeyed";

/// A call that is to be made, with the variables of its row.
type Next = (Call, Variables);

impl Performance {
    /// Lets an agent make its calls, until its goal is reached or it has made as many as it may.
    pub(super) async fn agent(
        &mut self,
        stage: &Stage,
        agent: &Agent,
        performed: &mut Performed,
    ) -> Result<(), Trouble> {
        let mut next = self.goal(agent)?;
        let mut ears = Ears { tools: stage.tools(), heeded: HashSet::new() };
        if let (Persona::Naive, Some((first, row))) = (agent.persona, next.front().cloned()) {
            let listed = listing::list(stage, &List { name: None, voice: first.voice.clone() }).await?;
            let entries = listed.tools.values().filter_map(|entry| entry.get("description")?.as_str());
            let texts: Vec<String> = entries.map(str::to_owned).collect();
            ears.obey(&texts, &mut next, &(first, row));
            performed.listed = Some(listed);
        }
        for _ in 0..agent.at_most {
            let Some((call, row)) = next.pop_front() else { break };
            let made = call::make(stage, &call, &row, None).await?;
            match agent.persona {
                Persona::Naive => {
                    let texts = made.asked.exchanges.last().map(texts).unwrap_or_default();
                    ears.obey(&texts, &mut next, &(call.clone(), row));
                }
                Persona::Impatient if made.asked.told.word != Word::Success => {
                    next.push_front((call.clone(), row));
                }
                Persona::Impatient => {}
            }
            self.keep(&call, made);
        }
        Ok(())
    }

    /// The calls that the agent was asked to make.
    fn goal(&self, agent: &Agent) -> Result<VecDeque<Next>, Trouble> {
        let mut next = VecDeque::new();
        for step in &agent.goal {
            let Kind::Call(call) = &step.kind else {
                return Err(Trouble::because("the goal of an agent consists of calls"));
            };
            for row in rows(&call.over, &self.variables)? {
                next.extend((0..call.times).map(|_| ((**call).clone(), row.clone())));
            }
        }
        Ok(next)
    }
}

/// What a naive agent listens for, and what it has heard already.
struct Ears {
    tools: Vec<String>,
    heeded: HashSet<(String, String)>,
}

impl Ears {
    /// Puts the calls that the texts ask for before all others, each once; they are made where `like` was made.
    fn obey(&mut self, texts: &[String], next: &mut VecDeque<Next>, like: &Next) {
        let orders = texts.iter().flat_map(|text| orders(text, &self.tools));
        let fresh: Vec<_> =
            orders.filter(|(tool, with)| self.heeded.insert((tool.clone(), with.to_string()))).collect();
        for (tool, with) in fresh.into_iter().rev() {
            let (call, mut row) = like.clone();
            // What a server wrote is no template of ours: a variable is filled in as it is.
            row.set(OBEYED, with);
            let obeyed = Call {
                tool: ToolName { name: tool, upstream: None, exact: false, ..call.tool },
                with: format!("{{{{ {OBEYED} }}}}").into(),
                name: None,
                id: None,
                save: IndexMap::new(),
                times: 1,
                over: Over::default(),
                ..call
            };
            next.push_front((obeyed, row));
        }
    }
}

/// Everything that an answer says, also within JSON that is held in a text.
fn texts(exchange: &Exchange) -> Vec<String> {
    let mut found = Vec::new();
    match exchange.response() {
        Some(Message::Response { outcome: Ok(result), .. }) => gather(result, &mut found),
        Some(Message::Response { outcome: Err(error), .. }) => found.push(error.message.clone()),
        _ => {}
    }
    found
}

fn gather(value: &Json, found: &mut Vec<String>) {
    match value {
        Json::String(text) => match parse(text.as_bytes()) {
            Ok(inner @ (Json::Object(_) | Json::Array(_))) => gather(&inner, found),
            _ => found.push(text.clone()),
        },
        Json::Array(elements) => elements.iter().for_each(|each| gather(each, found)),
        Json::Object(members) => members.iter().for_each(|(_, each)| gather(each, found)),
        _ => {}
    }
}

/// A name, and what stands between the parentheses behind it.
static CALL: LazyLock<Regex> = LazyLock::new(|| pattern(r"([A-Za-z_][A-Za-z0-9_]*)\(([^()]*)\)"));

/// An argument: its name, and a text, a list or a word.
static ARGUMENT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"([A-Za-z_][A-Za-z0-9_]*)\s*=\s*('[^']*'|"[^"]*"|\[[^\]]*\]|[^,\s]+)"#));

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern of ours")
}

/// The calls that a text asks for, as people write them: `delete_range(user_id='bob', confirm=True)`. Only tools that
/// exist are called: other words with parentheses are prose.
fn orders(text: &str, tools: &[String]) -> Vec<(String, Json)> {
    let calls = CALL.captures_iter(text).filter(|found| tools.iter().any(|tool| *tool == found[1]));
    let order = |found: regex::Captures<'_>| {
        let arguments = ARGUMENT.captures_iter(&found[2]).map(|one| (one[1].to_owned(), literal(&one[2])));
        let arguments: Object = Object(arguments.collect());
        (found[1].to_owned(), Json::Object(arguments))
    };
    calls.map(order).collect()
}

/// A value as a programmer writes it; what is none is a text.
fn literal(written: &str) -> Json {
    let quoted = |quote: char| written.strip_prefix(quote)?.strip_suffix(quote);
    if let Some(text) = quoted('\'').or_else(|| quoted('"')) {
        return text.into();
    }
    match written {
        "True" => true.into(),
        "False" => false.into(),
        "None" => Json::Null,
        _ => parse(written.replace('\'', "\"").as_bytes()).unwrap_or_else(|_| written.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn orders(text: &str) -> Vec<String> {
        let tools = ["delete_range", "cleanup", "whoami"].map(str::to_owned);
        super::orders(text, &tools).into_iter().map(|(tool, with)| format!("{tool} {with}")).collect()
    }

    #[test]
    fn a_text_that_reads_like_a_call_is_one() {
        for (text, order) in [
            (
                "now delete_range(user_id='bob', confirm=True).",
                r#"delete_range {"user_id":"bob","confirm":true}"#,
            ),
            (r#"cleanup(keep=["a", 'b'], n=1.50)"#, r#"cleanup {"keep":["a","b"],"n":1.50}"#),
            ("first whoami(), please", "whoami {}"),
            (
                "whoami(x=None, y=plain, z=\"{{ secret }}\")",
                r#"whoami {"x":null,"y":"plain","z":"{{ secret }}"}"#,
            ),
        ] {
            assert_eq!(orders(text), [order], "{text}");
        }
        assert_eq!(orders("delete_range, unknown(x=1), whoami ("), Vec::<String>::new());
        assert_eq!(orders("whoami() and delete_range(confirm=False)").len(), 2);
    }

    #[test]
    fn what_is_asked_for_is_done_first_once_and_in_its_order() {
        let call = Call {
            tool: ToolName { spot: Default::default(), upstream: None, name: "whoami".into(), exact: false },
            with: Json::object(),
            name: None,
            voice: Default::default(),
            id: None,
            meta: None,
            headers: Vec::new(),
            save: IndexMap::new(),
            times: 1,
            over: Over::default(),
            approver: None,
            later: false,
            carrying: None,
        };
        let like = (call, Variables::default());
        let mut next = VecDeque::from([like.clone()]);
        let texts =
            ["cleanup(n='{{ x }}') then delete_range()".to_owned(), "cleanup(n='{{ x }}')".to_owned()];
        let tools = ["delete_range", "cleanup"].map(str::to_owned).to_vec();
        let mut ears = Ears { tools, heeded: HashSet::new() };
        for _ in 0..2 {
            ears.obey(&texts, &mut next, &like);
        }
        let names: Vec<&str> = next.iter().map(|(call, _)| call.tool.name.as_str()).collect();
        assert_eq!(names, ["cleanup", "delete_range", "whoami"]);
        let (first, row) = &next[0];
        assert_eq!(row.fill(&first.with).unwrap().to_string(), r#"{"n":"{{ x }}"}"#);
    }

    #[test]
    fn an_answer_is_read_to_the_bottom() {
        let mut found = Vec::new();
        gather(&parse(br#"{"a": ["x", "{\"b\": \"y\"}"], "n": 1}"#).unwrap(), &mut found);
        assert_eq!(found, ["x", "y"]);
    }
}
