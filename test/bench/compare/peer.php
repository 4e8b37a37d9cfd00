<?php
// php-gearman as one end of the comparison: `php peer.php ROLE PORT [kind] [lanes] [bytes]`; the roles are those of peer.ts.
[, $role, $port] = $argv;
$rest = array_slice($argv, 3);

function say(string $text): void
{
    echo 'RESULT ', strtr($text, "\n", ' '), "\n";
}

function work(int $port): void
{
    $worker = new GearmanWorker();
    $worker->addServer('127.0.0.1', $port);
    $worker->addFunction('echo', fn (GearmanJob $job) => $job->workload());
    $worker->addFunction('fail', function (GearmanJob $job) {
        $job->sendWarning('no luck');
        $job->sendFail();
    });
    while (true) {
        if (!@$worker->work()) {
            usleep(100000);
        }
    }
}

/** A job's result, or the reason why there is none, as an exception. */
function submit(GearmanClient $client, string $name, string $payload): string
{
    $words = '';
    $result = null;
    $client->setWarningCallback(function (GearmanTask $task) use (&$words) { $words = ': ' . $task->data(); });
    $client->setFailCallback(function () use (&$words) { $words = 'the job failed' . $words; });
    $client->setCompleteCallback(function (GearmanTask $task) use (&$result) { $result = $task->data(); });
    $client->addTask($name, $payload);
    $done = @$client->runTasks();
    if ($result === null) {
        throw new Exception($words ?: ($done ? 'no result' : $client->error()));
    }
    return $result;
}

/** `$lanes` jobs at once, until all are done. */
function batch(GearmanClient $client, string $kind, int $lanes, string $payload): void
{
    if ($lanes === 1 && $kind === 'foreground') {
        if (strlen($client->doNormal('echo', $payload)) !== strlen($payload)) {
            throw new Exception('another number of bytes came back');
        }
        return;
    }
    $tasks = [];
    for ($i = 0; $i < $lanes; $i++) {
        $tasks[] = $kind === 'background' ? $client->addTaskBackground('nobody', $payload) : $client->addTask('echo', $payload);
    }
    if (!$client->runTasks()) {
        throw new Exception($client->error());
    }
}

function rate(GearmanClient $client, string $kind, string $lanes, string $bytes): string
{
    $payload = str_repeat('p', (int) $bytes);
    $start = microtime(true);
    for ($jobs = 0; $jobs < 10000 && microtime(true) - $start < 1; $jobs += (int) $lanes) {
        batch($client, $kind, (int) $lanes, $payload);
    }
    return (string) ($jobs / (microtime(true) - $start));
}

function outage(GearmanClient $client): never
{
    $client->setTimeout(2000);
    while (true) {
        try {
            submit($client, 'echo', 'x');
            say('ok');
        } catch (Exception $error) {
            say('error: ' . $error->getMessage());
        }
        usleep(100000);
    }
}

if ($role === 'work') {
    work((int) $port);
}
$start = microtime(true);
try {
    $client = new GearmanClient();
    $client->addServer('127.0.0.1', (int) $port);
    $all = implode('', array_map('chr', range(0, 255)));
    say(match ($role) {
        'rate' => rate($client, ...$rest),
        'bytes' => submit($client, 'echo', $all) === $all ? 'exact' : 'corrupted',
        'outage' => outage($client),
        'echo' => submit($client, 'echo', 'x'),
        'fail' => 'done: ' . submit($client, 'fail', 'x'),
        'queue' => (string) $client->doBackground('nobody', 'x'),
    });
} catch (Exception $error) {
    say('error: ' . $error->getMessage() . sprintf(' (after %d ms)', (microtime(true) - $start) * 1000));
}
