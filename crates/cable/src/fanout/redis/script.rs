//! What Redis does in one step.

use std::sync::LazyLock;

use redis::Script;

/// Numbers a message, keeps it, and writes it to the log; unless this very publication has been
/// made before, or the history knows its key. Times are Redis' own.
///
/// Keys: head, history, log, once. Arguments: stream, payload, key, a new epoch, messages to
/// keep, time to live of the history and of the log in milliseconds, when it was broadcast in
/// microseconds, whether it is announced (1 or 0).
pub(super) static PUBLISH: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        if not redis.call('SET', KEYS[4], '1', 'NX', 'PX', 60000) then return 0 end
        if ARGV[3] ~= '' then
            for _, entry in ipairs(redis.call('XRANGE', KEYS[2], '-', '+')) do
                local fields = entry[2]
                for i = 1, #fields, 2 do
                    if fields[i] == 'k' and fields[i + 1] == ARGV[3] then return 0 end
                end
            end
        end
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        local epoch = redis.call('HGET', KEYS[1], 'epoch')
        if not epoch then
            epoch = ARGV[4]
            redis.call('HSET', KEYS[1], 'epoch', epoch)
        end
        local offset = redis.call('HINCRBY', KEYS[1], 'offset', 1)
        local id = redis.call('XADD', KEYS[3], 'MINID', string.format('%.0f', now - ARGV[7]), '*',
            's', ARGV[1], 'p', ARGV[2], 'k', ARGV[3], 'e', epoch, 'o', offset, 't', ARGV[8])
        redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[5], offset .. '-0',
            'p', ARGV[2], 'k', ARGV[3], 'l', id)
        redis.call('PEXPIRE', KEYS[1], ARGV[6])
        redis.call('PEXPIRE', KEYS[2], ARGV[6])
        if ARGV[9] == '1' then redis.call('PUBLISH', ARGV[1], ARGV[2]) end
        return offset
        ",
    )
});

/// Where a stream stands, for someone who begins to follow it.
///
/// Keys: head. Arguments: a new epoch, time to live in milliseconds.
pub(super) static POSITION: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        redis.call('HSETNX', KEYS[1], 'epoch', ARGV[1])
        redis.call('HSETNX', KEYS[1], 'offset', 0)
        if redis.call('PTTL', KEYS[1]) < ARGV[2] / 2 then
            redis.call('PEXPIRE', KEYS[1], ARGV[2])
        end
        local head = redis.call('HMGET', KEYS[1], 'epoch', 'offset')
        return {head[1], tonumber(head[2])}
        ",
    )
});
