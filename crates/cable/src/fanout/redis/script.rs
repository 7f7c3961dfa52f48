//! What Redis does in one step.

use std::sync::LazyLock;

use redis::Script;

/// Writes a batch of records to the log as one entry, and announces it to those who listen. A batch
/// that was told before does nothing. Times are Redis' own.
///
/// An entry has an epoch, how many records there were before it in this epoch, and the records.
///
/// Keys: log, head, once. Arguments: the records, how many they are, an epoch if there is none, time
/// to live of the log in milliseconds.
///
/// Once the log is written nothing fails any more: an error means that nothing has been told.
pub(super) static PUBLISH: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local log, head, once = KEYS[1], KEYS[2], KEYS[3]
        local records, count = ARGV[1], tonumber(ARGV[2])
        if not redis.call('SET', once, '1', 'NX', 'PX', 60000) then return end
        local epoch = redis.call('HGET', head, 'epoch')
        if not epoch then
            epoch = ARGV[3]
            redis.call('HSET', head, 'epoch', epoch)
        end
        local before = string.format('%.0f', redis.call('HINCRBY', head, 'count', count) - count)
        local time = redis.call('TIME')
        local oldest = string.format('%.0f', time[1] * 1000 + time[2] / 1000 - ARGV[4])
        local id = redis.call('XADD', log, 'MINID', oldest, '*', 'e', epoch, 'b', before, 'n', records)
        redis.pcall('PUBLISH', log, id .. ' ' .. epoch .. ' ' .. before .. ' ' .. records)
        ",
    )
});

/// Where the log stands: its epoch and how many records there were in it. Another run of Redis
/// begins another epoch, for it may have forgotten records that were counted.
///
/// Keys: head. Arguments: an epoch if another is to begin, the name of this run or nothing.
pub(super) static HEAD: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local epoch, run = unpack(redis.call('HMGET', KEYS[1], 'epoch', 'run'))
        local changed = ARGV[2] ~= '' and run ~= ARGV[2]
        if not epoch or (run and changed) then
            redis.call('DEL', KEYS[1])
            redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'count', 0)
        end
        if changed then redis.call('HSET', KEYS[1], 'run', ARGV[2]) end
        local head = redis.call('HMGET', KEYS[1], 'epoch', 'count')
        return {head[1], tonumber(head[2]) or 0}
        ",
    )
});
