//! Whatever happens in whatever order: the books balance, offers end once, ends are acknowledged
//! once, and the allocation machine hears of every resource it gets back.
