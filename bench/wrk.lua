-- Sends a list of requests in turn and reports as one line of JSON.
-- Arguments: STOP PREFIX CYCLE METHOD PATH BODY [METHOD PATH BODY ...]
-- STOP: how many answers to wait for, 0 for as long as the time lasts. In a path or body, {n} becomes PREFIX and a number that grows with each
-- request, {c} the number of the request modulo CYCLE, in seven digits.
local requests, count, answers, stop, prefix, cycle = {}, 0, 0, 0, "", 1

local function filled(text)
  if not text:find("{", 1, true) then return text end
  local number, turn = prefix .. string.format("%07d", count), string.format("%07d", count % cycle)
  return (text:gsub("{n}", number):gsub("{c}", turn))
end

function init(args)
  stop, prefix, cycle = tonumber(args[1]), args[2], tonumber(args[3])
  for i = 4, #args, 3 do
    local body = args[i + 2] ~= "" and args[i + 2] or nil
    local varies = (args[i + 1] .. (body or "")):find("{[nc]}") ~= nil
    local fixed = not varies and wrk.format(args[i], args[i + 1], nil, body) or nil
    requests[#requests + 1] = {method = args[i], path = args[i + 1], body = body, fixed = fixed}
  end
  if stop > 0 then
    response = function()
      answers = answers + 1
      if answers == stop then
        io.write("\nREACHED\n") -- wrk itself goes on sleeping; whoever started it interrupts it
        io.flush()
        wrk.thread:stop()
      end
    end
  end
end

function request()
  local chosen = requests[count % #requests + 1]
  count = count + 1
  if chosen.fixed then return chosen.fixed end
  return wrk.format(chosen.method, filled(chosen.path), nil, chosen.body and filled(chosen.body))
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nBENCH {"requests": %d, "seconds": %.6f, "refused": %d, "broken": %d, "p50": %.1f, "p99": %.1f}\n',
    summary.requests, summary.duration / 1e6, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)
  ))
end
