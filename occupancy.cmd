@echo off
rem Runs this checkout on Windows, as ./occupancy does elsewhere: with the Deno on
rem the PATH, else with the one from npm.
setlocal
set DENO_NO_UPDATE_CHECK=1

rem Permissions by command (docs/SECURITY.md, "On the machine").
set extra=--allow-net --allow-run=less,more.com
for %%c in (server doctor store) do if "%~1"=="%%c" set extra=--allow-net --allow-write --allow-sys=systemMemoryInfo
for %%c in (users zones history) do if "%~1"=="%%c" set extra=--allow-net --allow-write --allow-run=less,more.com
for %%c in (completions man) do if "%~1"=="%%c" set extra=
if "%~1"=="config" set extra=--allow-run=less,more.com
set variables=OCCUPANCY_*,DENO_DIR,HOME,USERPROFILE,LOCALAPPDATA,XDG_*,TERM,XTERM_VERSION,COLORTERM,COLUMNS,LINES,NO_COLOR,PAGER,LESS,LV,MQTTJS_SOCKS_PROXY
set options=--quiet --no-prompt --no-remote --frozen --config "%~dp0deno.json" --lock "%~dp0deno.lock" --allow-read --allow-env=%variables% --ignore-env %extra%

where /q deno
if errorlevel 1 goto npx
deno run %options% "%~dp0main.ts" %*
exit /b

:npx
rem npx takes half a second and needs the network. So it finds its Deno once, and
rem a file keeps the path.
set "known=%LOCALAPPDATA%\occupancy\deno-2.9.6.txt"
set "deno="
if exist "%known%" set /p deno=<"%known%"
if exist "%deno%" goto run
where /q npx
if errorlevel 1 goto neither
set "deno="
for /f "usebackq delims=" %%d in (`npx --yes --prefer-offline --no-update-notifier --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=4000 deno@2.9.6 eval "console.log(Deno.execPath())"`) do set "deno=%%d"
if not exist "%deno%" goto missing
if not exist "%LOCALAPPDATA%\occupancy" mkdir "%LOCALAPPDATA%\occupancy"
>"%known%" echo %deno%
:run
"%deno%" run %options% "%~dp0main.ts" %*
exit /b

:missing
echo occupancy: cannot download Deno 2.9.6 from npm>&2
echo   hint: Connect this machine to the network and run the command again: Deno is downloaded once. Or install it: https://deno.com>&2
exit /b 1

:neither
echo occupancy: needs Deno (https://deno.com) or Node.js with npx on the PATH>&2
exit /b 1
