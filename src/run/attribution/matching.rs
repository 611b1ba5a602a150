//! Places filled with arrivals so that as many as can be are, those that come first before the others.

/// For each arrival the place that it fills. Each place names the arrivals that fit it, in the order in which it would
/// rather have them; a place that comes earlier is never left empty for one that comes later.
pub(super) fn matching(wanting: &[&[usize]], arrivals: usize) -> Vec<Option<usize>> {
    let mut taken = vec![None; arrivals];
    for place in 0..wanting.len() {
        let mut seen = vec![false; arrivals];
        fill(place, wanting, &mut taken, &mut seen);
    }
    taken
}

/// Finds an arrival for a place; who had it before has to find another.
fn fill(place: usize, wanting: &[&[usize]], taken: &mut [Option<usize>], seen: &mut [bool]) -> bool {
    for arrival in wanting[place] {
        if std::mem::replace(&mut seen[*arrival], true) {
            continue;
        }
        if taken[*arrival].is_none_or(|other| fill(other, wanting, taken, seen)) {
            taken[*arrival] = Some(place);
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_places_as_can_be_are_filled() {
        assert_eq!(matching(&[&[0, 1], &[0]], 2), [Some(1), Some(0)]);
        assert_eq!(matching(&[&[0], &[0], &[0, 1]], 2), [Some(0), Some(2)], "the first keeps what it has");
        assert_eq!(matching(&[&[], &[1], &[0, 1, 2], &[1, 2]], 3), [Some(2), Some(1), Some(3)]);
        assert_eq!(matching(&[], 1), [None]);
    }
}
