//! What Redis does in one step.

use std::sync::LazyLock;

use redis::Script;

/// Tells every process a batch of news: messages, which are numbered and kept in their histories
/// unless the history knows their key, and orders to disconnect. The batch becomes one entry of
/// the log, which is announced to those who listen together with the id of the entry before it,
/// so that they know whether they missed one. A batch that was told before does nothing. Times
/// are Redis' own.
///
/// Keys: log, its last id, once; for each message its head and history. Arguments: a new epoch,
/// messages to keep, time to live of the histories and of the log in milliseconds, whether
/// messages are published on the channels of their streams (1 or 0); then for each of the news
/// `m`, stream, payload, key, when it was broadcast in microseconds; or `d`, tag, reason, whether
/// to reconnect (1 or 0), nothing.
///
/// Whatever can fail comes before the log is written: an error means that nothing has been told.
pub(super) static PUBLISH: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local log, last, once = KEYS[1], KEYS[2], KEYS[3]
        local new_epoch, keep, ttl, log_ttl = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
        if not redis.call('SET', once, '1', 'NX', 'PX', 60000) then return end

        local seen = {}
        local function knows(history, key)
            local name = history .. ' ' .. key
            if seen[name] then return true end
            seen[name] = true
            for _, entry in ipairs(redis.call('XRANGE', history, '-', '+')) do
                local fields = entry[2]
                for i = 1, #fields, 2 do
                    if fields[i] == 'k' and fields[i + 1] == key then return true end
                end
            end
        end

        local news, kept, keys = {}, {}, 4
        for at = 6, #ARGV, 5 do
            local name, text, key = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
            if ARGV[at] == 'd' then
                news[#news + 1] = {d = {t = name, n = text, r = key == '1'}}
            else
                local head, history = KEYS[keys], KEYS[keys + 1]
                keys = keys + 2
                if key == '' or not knows(history, key) then
                    local epoch = redis.call('HGET', head, 'epoch')
                    if not epoch then
                        epoch = new_epoch
                        redis.call('HSET', head, 'epoch', epoch)
                        redis.call('DEL', history)
                    end
                    local offset = redis.call('HINCRBY', head, 'offset', 1)
                    redis.call('PEXPIRE', head, ttl)
                    news[#news + 1] = {m =
                        {s = name, p = text, k = key, t = ARGV[at + 4], e = epoch, o = offset}}
                    kept[#kept + 1] = {history, offset, name, text, key}
                end
            end
        end
        if #news == 0 then return end

        local told = cjson.encode(news)
        local time = redis.call('TIME')
        local oldest = time[1] * 1000 + math.floor(time[2] / 1000) - log_ttl
        local id = redis.call('XADD', log, 'MINID', string.format('%.0f', oldest), '*', 'n', told)
        local previous = redis.call('GETSET', last, id) or '0-0'
        for _, message in ipairs(kept) do
            local history, offset, name, text, key = unpack(message)
            redis.pcall('XADD', history, 'MAXLEN', keep, offset .. '-0',
                'p', text, 'k', key, 'l', id)
            redis.pcall('PEXPIRE', history, ttl)
            if ARGV[5] == '1' then redis.pcall('PUBLISH', name, text) end
        end
        redis.call('PUBLISH', log, previous .. ' ' .. id .. ' ' .. told)
        ",
    )
});

/// Where a stream stands, for someone who begins to follow it.
///
/// Keys: head, history. Arguments: a new epoch, time to live in milliseconds.
pub(super) static POSITION: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        if redis.call('HSETNX', KEYS[1], 'epoch', ARGV[1]) == 1 then
            redis.call('HSET', KEYS[1], 'offset', 0)
            redis.call('DEL', KEYS[2])
        end
        if redis.call('PTTL', KEYS[1]) < ARGV[2] / 2 then
            redis.call('PEXPIRE', KEYS[1], ARGV[2])
        end
        local head = redis.call('HMGET', KEYS[1], 'epoch', 'offset')
        return {head[1], tonumber(head[2])}
        ",
    )
});
