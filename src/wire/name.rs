//! Names as careless readers take them.
//!
//! It knows what servers are careless about, and nothing of tools: which of them a name means is for others to say.

/// What stands between the parts of a name that has several.
const BETWEEN: [char; 3] = ['.', '/', ':'];

/// What a careless reader sees of a text: its letters and digits, in lower case.
///
/// Servers drop what is no letter (`-` for `_`, spaces, what has no width) and fold the case, which is also all that tells
/// `destroyVm` from `destroy_vm`; normal form KC makes ASCII of full-width letters, and transliteration, by which slugs are
/// made, makes Latin letters of the Cyrillic ones that look and sound like them. Letters of other scripts go.
pub fn folded(text: &str) -> String {
    text.chars().filter_map(plain).collect()
}

/// The name that a careless server looks for: the one before a NUL, at which text ends in C, and of a path or of a module
/// and its function the last part; [`folded`].
pub fn careless(name: &str) -> String {
    let text = name.split('\0').next().unwrap_or_default();
    folded(text.trim_end_matches(BETWEEN).rsplit(BETWEEN).next().unwrap_or_default())
}

/// Whether a careless reader takes one name for the other.
pub fn alike(name: &str, other: &str) -> bool {
    folded(name) == folded(other) || careless(name) == careless(other)
}

fn plain(letter: char) -> Option<char> {
    let letter = match letter {
        // Full-width forms stand in the order of ASCII.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(letter as u32 - 0xfee0)?,
        // Cyrillic.
        '\u{430}' | '\u{410}' => 'a',
        '\u{435}' | '\u{415}' => 'e',
        '\u{43e}' | '\u{41e}' => 'o',
        '\u{43a}' | '\u{41a}' => 'k',
        '\u{43c}' | '\u{41c}' => 'm',
        '\u{442}' | '\u{422}' => 't',
        other => other,
    };
    letter.is_ascii_alphanumeric().then(|| letter.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_careless_reader_takes_every_spelling_for_the_name() {
        for spelling in [
            "Destroy_VM",
            " destroy_vm\t",
            "destroy_vm\0",
            "destroy_vm\0_not",
            "destroy\u{200b}_vm",
            "d\u{435}stroy_vm",
            "\u{ff44}estroy_vm",
            "destroy-vm",
            "destroyVm",
            "ludus.destroy_vm",
            "lab/destroy_vm/",
        ] {
            assert_eq!(careless(spelling), "destroyvm", "{spelling:?}");
            assert!(alike(spelling, "destroy_vm"));
        }
        for other in ["destroy_vms", "destroy_vm.now", "", "\0destroy_vm"] {
            assert_ne!(careless(other), "destroyvm", "{other:?}");
        }
    }
}
